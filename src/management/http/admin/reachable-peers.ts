/**
 * The machines that a peer may reach, by the very function the machines use.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { denialOfNetwork } from "../../../policy/decide/network-rules.ts";
import { SSH_PORT } from "../../../wire/ports.ts";
import { listPeers, type PeerRow } from "../../db/tables/peers.ts";
import type { AdminContext } from "./route.ts";

/** Machines whose port 22 `source` may reach now. Looks at each machine's own map. */
export async function reachablePeers(ctx: AdminContext, source: PeerRow): Promise<PeerRow[]> {
  const peers = await ctx.store.read((tx) => listPeers(tx, source.accountId));
  const request = { sourcePeerId: source.id, port: SSH_PORT, nowSeconds: nowSeconds(ctx.clock) };
  const found: PeerRow[] = [];
  for (const peer of peers) {
    if (peer.kind !== "machine" || peer.id === source.id) continue;
    const snapshot = await ctx.maps.snapshotOf(source.accountId, peer.id);
    if (snapshot !== undefined && denialOfNetwork(request, snapshot) === null) found.push(peer);
  }
  return found;
}
