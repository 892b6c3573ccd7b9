/**
 * Tables that several management processes on one database share. PostgreSQL only.
 *
 * @module
 */
import type { LiveSession } from "../../../wire/agent-sync.ts";
import type { Dialect } from "./dialect.ts";

export function clusterTables(d: Dialect) {
  /** One row per running process. A process whose beat stands still counts as dead. */
  const processes = d.table("processes", {
    id: d.text("id").primaryKey(),
    /** Raised every second. Others time its changes by their own clock, so no two clocks are compared. */
    beat: d.integer("beat").notNull(),
    /** HOST:PORT where the other processes reach it. Null: nowhere. */
    address: d.text("address"),
  });

  /** Which process has an agent's control link. Deleted with its process. */
  const agentLinks = d.table(
    "agent_links",
    {
      /** No foreign key: a link ends by itself when its peer goes. */
      peerId: d.text("peer_id").primaryKey(),
      accountId: d.text("account_id").notNull(),
      processId: d
        .text("process_id")
        .notNull()
        .references(() => processes.id, { onDelete: "cascade" }),
      bootId: d.text("boot_id").notNull(),
      /** The map version that the agent has acknowledged. */
      ackedVersion: d.integer("acked_version").notNull(),
      sessions: d.json<readonly LiveSession[]>("sessions").notNull(),
    },
    (table) => [d.index("agent_links_process").on(table.processId)],
  );

  /** Which process has a machine's relay link. Deleted with its process. */
  const relayLinks = d.table(
    "relay_links",
    {
      /** No foreign key, as above. */
      peerId: d.text("peer_id").primaryKey(),
      accountId: d.text("account_id").notNull(),
      processId: d
        .text("process_id")
        .notNull()
        .references(() => processes.id, { onDelete: "cascade" }),
    },
    (table) => [d.index("relay_links_process").on(table.processId)],
  );

  return { processes, agentLinks, relayLinks };
}
