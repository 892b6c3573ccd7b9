/**
 * Outlets: where else an account's log goes, and how far each of them has come.
 *
 * @module
 */
import type { NoticeTopic, StreamTarget } from "../../../wire/outlet-api.ts";
import { type AccountTables, accountIdColumn } from "./accounts.ts";
import type { Dialect } from "./dialect.ts";

/** `stream`: every entry, as it is. `notices`: sentences for people, about some. */
export const OUTLET_PURPOSES = ["stream", "notices"] as const;

/** As the API has it, but for a URL that is a secret: of that the host is here. */
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
      /** Sealed: of a webhook the signing secret, of a chat its URL. Null: it has none. */
      secret: d.text("secret"),
      /** The last entry that was delivered, or looked at. */
      cursorSeq: d.integer("cursor_seq").notNull(),
      /** Ended by this entry, the last that its address gets. Null: it goes on. */
      endsAtSeq: d.integer("ends_at_seq"),
      endedAt: d.integer("ended_at"),
      failingSince: d.integer("failing_since"),
      /** A sentence of ours. Never what the other end has answered. */
      lastError: d.text("last_error"),
      lastDeliveredAt: d.integer("last_delivered_at"),
      /** The process that delivers, where there are several. */
      leaseBy: d.text("lease_by"),
      leaseUntilMs: d.integer("lease_until_ms").notNull(),
      createdAt: d.integer("created_at").notNull(),
    },
    (table) => [d.index("log_outlets_account").on(table.accountId)],
  );
  return { logOutlets };
}
