/**
 * Requests for access: an approval of one rule at one machine, or a membership of a group for a while.
 *
 * @module
 */
import { type AccountTables, accountIdColumn } from "./accounts.ts";
import type { Dialect } from "./dialect.ts";
import type { networkTables } from "./network.ts";

export const REQUEST_KINDS = ["machine", "group"] as const;
/** From `waiting` exactly one step leads away, and from `approved` only the one to `ended`. */
export const REQUEST_STATES = ["waiting", "approved", "denied", "cancelled", "expired", "ended"] as const;
/** Why what was approved is over. */
export const END_CAUSES = [
  "time",
  "taken_back",
  "given_up",
  "rule_changed",
  "approver_gone",
  "requester_gone",
] as const;

type NetworkTables = ReturnType<typeof networkTables>;

export function accessTables(
  d: Dialect,
  { accounts, users }: AccountTables,
  { groups, peers }: Pick<NetworkTables, "groups" | "peers">,
) {
  const accessRequests = d.table(
    "access_requests",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      kind: d.word("kind", REQUEST_KINDS).notNull(),
      state: d.word("state", REQUEST_STATES).notNull(),
      /** Who asks. */
      userId: d
        .text("user_id")
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      /** Of `machine`, as are the next three. */
      devicePeerId: d.text("device_peer_id").references(() => peers.id, { onDelete: "cascade" }),
      machinePeerId: d.text("machine_peer_id").references(() => peers.id, { onDelete: "cascade" }),
      localUser: d.text("local_user"),
      ruleId: d.text("rule_id"),
      /** Of `group`. */
      groupId: d.text("group_id").references(() => groups.id, { onDelete: "cascade" }),
      /** Digest of what the rule, or the group's settings, asked when it was opened or approved. */
      terms: d.text("terms").notNull(),
      /** Empty: none was given. */
      reason: d.text("reason").notNull(),
      /** How long it is asked for. */
      seconds: d.integer("seconds").notNull(),
      createdAt: d.integer("created_at").notNull(),
      /** Nobody decides about it from then on. */
      waitsUntil: d.integer("waits_until").notNull(),
      decidedAt: d.integer("decided_at"),
      /** A user, who may be gone. Null: nobody has decided. */
      decidedBy: d.text("decided_by"),
      /** What the decider said. Empty: nothing. */
      note: d.text("note").notNull(),
      /** First second in which what was approved no longer counts. Null: nothing was. */
      endsAt: d.integer("ends_at"),
      endedAt: d.integer("ended_at"),
      endCause: d.word("end_cause", END_CAUSES),
    },
    (table) => [
      d.index("access_requests_state").on(table.state, table.accountId),
      d.index("access_requests_user").on(table.userId),
      d.index("access_requests_machine").on(table.machinePeerId),
      d.index("access_requests_device").on(table.devicePeerId),
      d.index("access_requests_group").on(table.groupId),
    ],
  );
  return { accessRequests };
}
