/**
 * Outlets: other destinations of an account's log, and how far each has been served.
 *
 * @module
 */
import type { NoticeTopic, StreamTarget } from "../../../wire/outlet-api.ts";
import { type AccountTables, accountIdColumn } from "./accounts.ts";
import type { Dialect } from "./dialect.ts";

/** `stream`: every entry, unchanged. `notices`: sentences for people about some entries. */
export const OUTLET_PURPOSES = ["stream", "notices"] as const;

/** The target as in the API, except that a secret URL is reduced to its host. */
export type StoredTarget =
  | StreamTarget
  | { readonly type: "slack"; readonly host: string }
  | { readonly type: "email"; readonly to: readonly string[] };

export function outletTables(d: Dialect, { accounts }: AccountTables) {
  const logOutlets = d.table(
    "log_outlets",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      purpose: d.word("purpose", OUTLET_PURPOSES).notNull(),
      name: d.text("name").notNull(),
      enabled: d.boolean("enabled").notNull(),
      target: d.json<StoredTarget>("target").notNull(),
      topics: d.json<readonly NoticeTopic[]>("topics").notNull(),
      /** Sealed: a webhook's signing secret, or a chat's URL. Null: it has none. */
      secret: d.text("secret"),
      /** The last entry that was delivered or passed over. */
      cursorSeq: d.integer("cursor_seq").notNull(),
      /** The entry that ended the outlet, the last one delivered to it. Null: it goes on. */
      endsAtSeq: d.integer("ends_at_seq"),
      endedAt: d.integer("ended_at"),
      failingSince: d.integer("failing_since"),
      /** A sentence of ours. Never the receiver's answer. */
      lastError: d.text("last_error"),
      lastDeliveredAt: d.integer("last_delivered_at"),
      /** The process that delivers, where several share the database. */
      leaseBy: d.text("lease_by"),
      leaseUntilMs: d.integer("lease_until_ms").notNull(),
      createdAt: d.integer("created_at").notNull(),
    },
    (table) => [d.index("log_outlets_account").on(table.accountId)],
  );
  return { logOutlets };
}
