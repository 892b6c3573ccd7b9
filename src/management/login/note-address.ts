/**
 * The current source address of a device. Posture checks may need it, and the login may be older than the
 * last change of network.
 *
 * @module
 */
import { systemInitiator } from "../db/tables/audit-events.ts";
import { type PeerRow, updatePeer } from "../db/tables/peers.ts";
import { listPostureChecks } from "../db/tables/policies.ts";
import type { LoginDeps } from "./deps.ts";

/** Stores the address of a proven device if a posture check of its account looks at addresses. */
export async function noteAddress(
  { ctx }: LoginDeps,
  { id, accountId, connectionIp }: PeerRow,
  sourceAddress: string,
): Promise<void> {
  if (connectionIp === sourceAddress) return;
  const checks = await ctx.store.read((tx) => listPostureChecks(tx, accountId));
  if (!checks.some(({ checks: asked }) => asked.peer_network_range_check !== undefined)) return;
  await ctx.store.change({ accountId, initiator: systemInitiator, affectsMaps: true }, (tx) =>
    updatePeer(tx, accountId, id, { connectionIp: sourceAddress }),
  );
}
