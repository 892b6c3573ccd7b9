/**
 * Rollouts of releases, and their orders to machines.
 *
 * @module
 */
import { ROLLOUT_STATES, ROLLOUT_STEP_STATES } from "../../../wire/rollout.ts";
import { type AccountTables, accountIdColumn } from "./accounts.ts";
import type { Dialect } from "./dialect.ts";
import type { networkTables } from "./network.ts";

type NetworkTables = ReturnType<typeof networkTables>;

export function rolloutTables(
  d: Dialect,
  { accounts }: Pick<AccountTables, "accounts">,
  { peers }: Pick<NetworkTables, "peers">,
) {
  const rollouts = d.table(
    "rollouts",
    {
      id: d.text("id").primaryKey(),
      accountId: accountIdColumn(d, accounts),
      version: d.text("version").notNull(),
      /** Null: all machines. A deleted group has none. */
      groupId: d.text("group_id"),
      stages: d.json<readonly number[]>("stages").notNull(),
      /** Index of the current stage. */
      stage: d.integer("stage").notNull(),
      /** When the last machine of the stage came back. Null: the stage is not settled. */
      settledAt: d.integer("settled_at"),
      pauseSeconds: d.integer("pause_seconds").notNull(),
      failuresMax: d.integer("failures_max").notNull(),
      state: d.word("state", ROLLOUT_STATES).notNull(),
      why: d.text("why").notNull(),
      createdAt: d.integer("created_at").notNull(),
      endedAt: d.integer("ended_at"),
    },
    (table) => [d.index("rollouts_account").on(table.accountId), d.index("rollouts_state").on(table.state)],
  );
  const rolloutSteps = d.table(
    "rollout_steps",
    {
      rolloutId: d
        .text("rollout_id")
        .notNull()
        .references(() => rollouts.id, { onDelete: "cascade" }),
      peerId: d
        .text("peer_id")
        .notNull()
        .references(() => peers.id, { onDelete: "cascade" }),
      /** The id by which the machine refers to the order. */
      orderId: d.text("order_id").notNull(),
      state: d.word("state", ROLLOUT_STEP_STATES).notNull(),
      detail: d.text("detail").notNull(),
      orderedAt: d.integer("ordered_at").notNull(),
    },
    (table) => [
      d.primaryKey({ columns: [table.rolloutId, table.peerId] }),
      d.index("rollout_steps_peer").on(table.peerId),
    ],
  );
  return { rollouts, rolloutSteps };
}
