/**
 * Stores what an agent reports about itself: facts, flags, host keys, addresses, and when it was last seen.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import type { AgentMessage } from "../../wire/agent-sync.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { Store } from "../db/store.ts";
import { appendEvents, type Initiator, systemInitiator } from "../db/tables/audit-events.ts";
import { findPeer, type PeerRow, touchPeersAt, updatePeer } from "../db/tables/peers.ts";

type Identify = Extract<AgentMessage, { type: "identify" }>;
interface PeerRef {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
}

/** Most peers written in one transaction. */
const BATCH_MAX = 500;

/** Stores facts, flags, host keys and addresses of an agent that has just proven itself. */
export async function storeReport(
  { store }: ManagementContext,
  peer: PeerRow,
  identify: Identify,
  sourceAddress: string,
): Promise<void> {
  const { facts, flags, hostKeys, direct } = identify;
  const isNew = peer.flags === null;
  const changed = {
    facts: !isSame(peer.facts, facts),
    hostKeys: !isSame(peer.hostKeys, hostKeys),
    rest: !isSame([peer.flags, peer.direct, peer.connectionIp], [flags, direct, sourceAddress]),
  };
  const report = { lastSeenAt: 0, connectionIp: sourceAddress };
  // The time it was last seen is stored together with others' (link-table.ts).
  if (!changed.facts && !changed.hostKeys && !changed.rest) return;
  const initiator: Initiator = { id: peer.id, name: peer.name, email: "" };
  await store.change({ accountId: peer.accountId, initiator }, async (tx) => {
    report.lastSeenAt = nowSeconds(tx.clock);
    // The state folder may have served another peer before; its event numbers continue from there.
    const start = isNew ? { nextAuditSeq: Math.max(peer.nextAuditSeq, identify.nextAuditSeq) } : {};
    await updatePeer(tx, peer.accountId, peer.id, { facts, flags, hostKeys, direct, ...report, ...start });
    // Posture checks look at a peer's facts and address.
    if (changed.facts || peer.connectionIp !== sourceAddress) tx.affectMaps();
    if (changed.hostKeys) {
      tx.record({ activity: "peer.update", targetId: peer.id, meta: { name: peer.name, what: "host keys" } });
    }
  });
}

export async function storeFlags(
  store: Store,
  { accountId, peerId }: PeerRef,
  { flags, direct }: Extract<AgentMessage, { type: "flags" }>,
): Promise<void> {
  await store.transaction(async (tx) => {
    await updatePeer(tx, accountId, peerId, { flags, direct, lastSeenAt: nowSeconds(tx.clock) });
  });
}

/** Stores the current time as when these peers were last seen. */
export async function touchPeers(store: Store, peers: readonly PeerRef[]): Promise<void> {
  for (let i = 0; i < peers.length; i += BATCH_MAX) {
    const peerIds = peers.slice(i, i + BATCH_MAX).map(({ peerId }) => peerId);
    await store.transaction((tx) => touchPeersAt(tx, peerIds, nowSeconds(tx.clock)));
  }
}

/** Records that two agents use one device key. `clone-watch.ts` reports that once for as long as it lasts. */
export function recordClone(
  context: ManagementContext,
  peer: Pick<PeerRow, "id" | "accountId" | "name">,
): Promise<void> {
  return recordState(context, peer, {
    what: "clone_suspected",
    detail: "two agents use this machine's key",
  });
}

/** Records that a machine's events are held back for now. `audit-share.ts` reports that once. */
export function recordShareUsedUp(
  context: ManagementContext,
  peer: Pick<PeerRow, "id" | "accountId" | "name">,
): Promise<void> {
  return recordState(context, peer, {
    what: "audit_share_used_up",
    detail:
      "this machine reports more than management takes of one in a day; it keeps the rest and tries again",
  });
}

/** Records a state of a machine that management noticed, with management as its source. */
async function recordState(
  { store }: ManagementContext,
  { id, accountId, name }: Pick<PeerRow, "id" | "accountId" | "name">,
  state: { readonly what: string; readonly detail: string },
): Promise<void> {
  const auditSeq = await store.transaction(async (tx) => {
    if ((await findPeer(tx, accountId, id)) === undefined) return undefined;
    return await appendEvents(tx, accountId, systemInitiator, [
      { activity: "agent.state", targetId: id, meta: { peer: name, ...state } },
    ]);
  });
  if (auditSeq !== undefined) store.notify({ accountId, auditSeq });
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
