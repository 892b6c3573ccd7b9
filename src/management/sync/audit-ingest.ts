/**
 * Takes an agent's audit events into its account's log, each once, in the agent's own order.
 *
 * A repetition is passed over, a jump in the numbers is written down as a gap. What a machine says
 * about people is kept as what that machine said: names are looked up in its own account only.
 *
 * @module
 */
import type { AgentEvent, AgentEventBody } from "../../wire/audit-event.ts";
import type { AccountId, PeerId, UserId } from "../../wire/units.ts";
import { appendEvents, type Initiator, type NewEvent } from "../db/audit-events.ts";
import { findPeer, type PeerRow, updatePeer } from "../db/peers.ts";
import type { Reader, Store } from "../db/store.ts";
import { findUser } from "../db/users.ts";

/**
 * Stores what is new of `events`. Resolves, once that survives a crash, with the last number stored;
 * undefined when the peer is gone.
 */
export async function ingestAgentEvents(
  store: Store,
  accountId: AccountId,
  peerId: PeerId,
  events: readonly AgentEvent[],
): Promise<number | undefined> {
  const done = await store.transaction(async (tx) => {
    const peer = await findPeer(tx, accountId, peerId);
    if (peer === undefined) return undefined;
    const initiators = await findInitiators(tx, accountId, events);
    const { rows, nextSeq } = newEvents(peer, events, initiators);
    const last = await appendEvents(tx, accountId, machineInitiator(peer), rows);
    if (nextSeq !== peer.nextAuditSeq) await updatePeer(tx, accountId, peerId, { nextAuditSeq: nextSeq });
    return { throughSeq: nextSeq - 1, last };
  });
  if (done?.last !== undefined) store.notify({ accountId, auditSeq: done.last });
  return done?.throughSeq;
}

function newEvents(
  peer: PeerRow,
  events: readonly AgentEvent[],
  initiators: ReadonlyMap<UserId, Initiator>,
): { rows: NewEvent[]; nextSeq: number } {
  const rows: NewEvent[] = [];
  let nextSeq = peer.nextAuditSeq;
  for (const event of [...events].sort((a, b) => a.seq - b.seq)) {
    if (event.seq < nextSeq) continue;
    if (event.seq > nextSeq) {
      const meta = { name: peer.name, from: String(nextSeq), through: String(event.seq - 1) };
      rows.push({ activity: "agent.gap", targetId: peer.id, meta });
    }
    rows.push(newEvent(peer, event, initiators));
    nextSeq = event.seq + 1;
  }
  return { rows, nextSeq };
}

function newEvent(
  peer: PeerRow,
  { seq, atMs, body }: AgentEvent,
  initiators: ReadonlyMap<UserId, Initiator>,
): NewEvent {
  const userId = userOf(body);
  const by = userId === null ? undefined : initiators.get(userId);
  const receipt = body.type === "decision" ? body.receipt : null;
  return {
    activity: activityOf(body),
    targetId: peer.id,
    meta: { peer: peer.name, ...metaOf(body) },
    data: body,
    atMs,
    agent: { peerId: peer.id, seq },
    ...(by === undefined ? {} : { initiator: by }),
    ...(receipt === null ? {} : { receipt }),
  };
}

function activityOf(body: AgentEventBody): NewEvent["activity"] {
  if (body.type === "decision") {
    return body.decision.outcome === "allow" ? "ssh.decision.allow" : "ssh.decision.deny";
  }
  return body.type === "agent.state" ? "agent.state" : `ssh.${body.type}`;
}

/** A few words for people; all of it is in `data`. */
function metaOf(body: AgentEventBody): Record<string, string> {
  switch (body.type) {
    case "decision":
      return {
        local_user: body.request.localUser,
        action: body.request.action.kind,
        reason: body.decision.reason ?? "",
        source: body.sourceAddress,
      };
    case "connection.open":
      return { local_user: body.localUser, path: body.path, source: body.sourceAddress };
    case "connection.close":
      return { reason: body.reason ?? "" };
    case "session.start":
      return { kind: body.kind, command: (body.command ?? "").slice(0, 256) };
    case "session.end":
      return { exit_status: String(body.exitStatus ?? ""), signal: body.signal ?? "" };
    case "forward.open":
      return { kind: body.kind, destination: body.destination.slice(0, 256) };
    case "auth.failed":
      return { reason: body.reason, source: body.sourceAddress, count: String(body.count) };
    case "agent.state":
      return { what: body.what, detail: body.detail };
  }
}

function userOf(body: AgentEventBody): UserId | null {
  if (body.type === "decision") return body.request.userId;
  return body.type === "connection.open" ? body.userId : null;
}

async function findInitiators(
  tx: Reader,
  accountId: AccountId,
  events: readonly AgentEvent[],
): Promise<ReadonlyMap<UserId, Initiator>> {
  const ids = new Set(events.map((event) => userOf(event.body)).filter((id) => id !== null));
  const found = new Map<UserId, Initiator>();
  for (const id of ids) {
    const user = await findUser(tx, accountId, id);
    if (user !== undefined) found.set(id, { id, name: user.name, email: user.email });
  }
  return found;
}

function machineInitiator(peer: PeerRow): Initiator {
  return { id: peer.id, name: peer.name, email: "" };
}
