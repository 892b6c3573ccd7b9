/**
 * Requests for access: approval of one rule at one machine, or a temporary group membership.
 *
 * @module
 */
import { type AccountTables, accountIdColumn } from "./accounts.ts";
import type { Dialect } from "./dialect.ts";
import type { networkTables } from "./network.ts";

export const REQUEST_KINDS = ["machine", "group"] as const;
/** `waiting` changes once, to any other state but `ended`. `approved` changes only to `ended`. */
export const REQUEST_STATES = ["waiting", "approved", "denied", "cancelled", "expired", "ended"] as const;
/** Why approved access ended. */
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
      /** The requester. */
      userId: d
        .text("user_id")
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      /** For a request of kind `machine`, as are the next three. */
      devicePeerId: d.text("device_peer_id").references(() => peers.id, { onDelete: "cascade" }),
      machinePeerId: d.text("machine_peer_id").references(() => peers.id, { onDelete: "cascade" }),
      localUser: d.text("local_user"),
      ruleId: d.text("rule_id"),
      /** For a request of kind `group`. */
      groupId: d.text("group_id").references(() => groups.id, { onDelete: "cascade" }),
      /** Digest of what the rule or the group's settings required when it was opened or approved. */
      terms: d.text("terms").notNull(),
      /** Empty: none was given. */
      reason: d.text("reason").notNull(),
      /** Requested duration. */
      seconds: d.integer("seconds").notNull(),
      createdAt: d.integer("created_at").notNull(),
      /** First second in which it can no longer be decided. */
      waitsUntil: d.integer("waits_until").notNull(),
      decidedAt: d.integer("decided_at"),
      /** A user, who may be deleted by now. Null: undecided. */
      decidedBy: d.text("decided_by"),
      /** The decider's note. Empty: none. */
      note: d.text("note").notNull(),
      /** First second in which the approval no longer counts. Null: not approved. */
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
