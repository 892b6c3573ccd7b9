/**
 * Machines that peers may reach now, by the rules that the machines themselves enforce.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import type { Reach } from "../../../policy/maps/account-reach.ts";
import { SSH_PORT } from "../../../wire/ports.ts";
import { listShownPeers, type PeerRow, type ShownPeer } from "../../db/tables/peers.ts";
import type { AdminContext } from "./route.ts";

/** Machines whose SSH port `source` may reach now, in order of name. */
export async function reachablePeers(
  ctx: AdminContext,
  source: Pick<PeerRow, "id" | "accountId">,
): Promise<ShownPeer[]> {
  const reached = (await reachNow(ctx, source.accountId))?.of(source.id);
  if (reached === undefined || reached.size === 0) return [];
  return ctx.store.read((tx) => listShownPeers(tx, source.accountId, reached));
}

/** Which SSH ports of the account are open to which peers. Undefined: the account is gone. */
export function reachNow(ctx: AdminContext, accountId: string): Promise<Reach | undefined> {
  return ctx.maps.reachOf(accountId, { port: SSH_PORT, nowSeconds: nowSeconds(ctx.clock) });
}
