/**
 * Intake of machines' events into the account's log: each once, in order, with gaps named.
 *
 * A machine numbers its events without gaps and repeats what was not acknowledged. An event is the machine's
 * own claim: it names the machine as the witness, beside the person who it says acted.
 *
 * @module
 */
import { assert, unreachable } from "../../base/assert.ts";
import { nowSeconds } from "../../base/clock.ts";
import type { ActivityCode, AgentEvent, AgentEventBody } from "../../wire/audit-event.ts";
import type { BatchRecord } from "../../wire/log-entry.ts";
import type { SftpOperationRecord } from "../../wire/sftp-operation.ts";
import type { AccountId, EpochSeconds, PeerId, RuleId, UserId } from "../../wire/units.ts";
import type { Reader, Writer } from "../db/engine/transaction.ts";
import type { Store } from "../db/store.ts";
import { appendEvents, type Initiator, type NewEvent } from "../db/tables/audit-events.ts";
import { hasBatch, insertBatch } from "../db/tables/log-batches.ts";
import { findPeer, updatePeer } from "../db/tables/peers.ts";
import { noteRuleUses } from "../db/tables/rule-uses.ts";
import { closeSshSession, insertSshSession } from "../db/tables/ssh-sessions.ts";
import { findUser } from "../db/tables/users.ts";
import type { ProvenBatch } from "./prove-batch.ts";

/** The machine whose link carried the events, proven by its device key. */
export interface ReportingPeer {
  readonly id: PeerId;
  readonly accountId: AccountId;
  readonly name: string;
}

/**
 * Stores the new ones of `events` in one transaction. Returns the number up to which everything is stored, so
 * that the agent may delete it. Undefined if the peer was deleted.
 */
export async function ingestAgentEvents(
  store: Store,
  peer: ReportingPeer,
  events: readonly AgentEvent[],
  batch: ProvenBatch | null = null,
): Promise<number | undefined> {
  const done = await store.transaction((tx) => ingest(tx, peer, events, batch));
  if (done?.auditSeq !== undefined) store.notify({ accountId: peer.accountId, auditSeq: done.auditSeq });
  return done?.throughSeq;
}

async function ingest(
  tx: Writer,
  peer: ReportingPeer,
  events: readonly AgentEvent[],
  batch: ProvenBatch | null,
): Promise<{ throughSeq: number; auditSeq: number | undefined } | undefined> {
  const row = await findPeer(tx, peer.accountId, peer.id);
  if (row === undefined) return undefined;
  const by: Initiator = { id: peer.id, name: row.name, email: "" };
  const people = new Map<UserId, Initiator>();
  const fresh: NewEvent[] = [];
  const machine = { ...peer, name: row.name };
  const decided = new Map<RuleId, EpochSeconds>();
  let next = row.nextAuditSeq;
  for (const event of [...events].sort((a, b) => a.seq - b.seq)) {
    if (event.seq < next) continue;
    if (event.seq > next) fresh.push(gapOf(peer, next, event.seq));
    fresh.push({ ...(await newEventOf(tx, peer, event, people)), ...batch?.saltOf(event.seq) });
    await noteSession(tx, machine, event, people);
    for (const rule of deciding(event.body)) decided.set(rule, timeOf(event, tx));
    next = event.seq + 1;
  }
  const record = batch === null || (await hasBatch(tx, peer.id, batch.record.last_seq)) ? null : batch.record;
  if (record !== null) fresh.push(batchEventOf(peer, record));
  if (fresh.length === 0) return { throughSeq: next - 1, auditSeq: undefined };
  const auditSeq = await appendEvents(tx, peer.accountId, by, fresh);
  assert(auditSeq !== undefined, "events were appended");
  if (record !== null) await insertBatch(tx, peer, record, auditSeq);
  await updatePeer(tx, peer.accountId, peer.id, { nextAuditSeq: next });
  await noteRuleUses(tx, peer.accountId, decided);
  return { throughSeq: next - 1, auditSeq };
}

/** The rules that made a decision: the one that granted, or each `drop` that denied. */
function deciding(body: AgentEventBody): readonly RuleId[] {
  if (body.type !== "decision") return [];
  const { outcome, ruleId, trace } = body.decision;
  if (outcome === "allow") return ruleId === null ? [] : [ruleId];
  return trace.filter((rule) => rule.outcome === "dropped").map((rule) => rule.ruleId);
}

/** A machine's clock may be fast; nothing happens in the future. */
function timeOf({ atMs }: AgentEvent, tx: Writer): EpochSeconds {
  return Math.min(Math.floor(atMs / 1_000), nowSeconds(tx.clock));
}

/** Updates the list of sessions from what the machine reports of its own connections. */
async function noteSession(
  tx: Writer,
  { id: peerId, accountId, name: machineName }: ReportingPeer,
  { body, atMs }: AgentEvent,
  people: ReadonlyMap<UserId, Initiator>,
): Promise<void> {
  if (body.type === "connection.close") await closeSshSession(tx, body, { peerId, closedAtMs: atMs });
  if (body.type !== "connection.open") return;
  const person = body.userId === null ? undefined : people.get(body.userId);
  const userName = person?.email || person?.name || "";
  await insertSshSession(tx, body, { peerId, accountId, machineName, userName, openedAtMs: atMs });
}

/** The machine's signature over these events; it follows them in the log. */
function batchEventOf(peer: ReportingPeer, record: BatchRecord): NewEvent {
  const { first_seq, last_seq } = record;
  const meta = { machine: peer.name, from: String(first_seq), to: String(last_seq) };
  return { activity: "agent.batch", targetId: peer.id, meta, data: { ...record } };
}

/** Numbers that never arrived: evidence was lost or withheld at the machine. */
function gapOf(peer: ReportingPeer, from: number, to: number): NewEvent {
  const meta = { machine: peer.name, from: String(from), to: String(to - 1) };
  return { activity: "agent.gap", targetId: peer.id, meta };
}

async function newEventOf(
  tx: Reader,
  peer: ReportingPeer,
  event: AgentEvent,
  people: Map<UserId, Initiator>,
): Promise<NewEvent> {
  const { body } = event;
  const userId = userOf(body);
  const initiator = userId === null ? undefined : await personOf(tx, peer.accountId, userId, people);
  const receipt = body.type === "decision" ? body.receipt : null;
  return {
    activity: activityOf(body),
    targetId: peer.id,
    meta: { machine: peer.name, ...metaOf(body) },
    data: body,
    atMs: event.atMs,
    agent: { peerId: peer.id, seq: event.seq },
    ...(initiator === undefined ? {} : { initiator }),
    ...(receipt === null ? {} : { receipt }),
  };
}

/** The person that the machine names. Name and e-mail are filled in only for a user of this account. */
async function personOf(
  tx: Reader,
  accountId: AccountId,
  userId: UserId,
  people: Map<UserId, Initiator>,
): Promise<Initiator> {
  const known = people.get(userId);
  if (known !== undefined) return known;
  const user = await findUser(tx, accountId, userId);
  const person = { id: userId, name: user?.name ?? "", email: user?.email ?? "" };
  people.set(userId, person);
  return person;
}

function userOf(body: AgentEventBody): UserId | null {
  if (body.type === "decision") return body.request.userId;
  return "userId" in body ? (body.userId ?? null) : null;
}

function activityOf(body: AgentEventBody): ActivityCode {
  switch (body.type) {
    case "decision":
      return body.decision.outcome === "allow" ? "ssh.decision.allow" : "ssh.decision.deny";
    case "connection.open":
      return "ssh.connection.open";
    case "connection.close":
      return "ssh.connection.close";
    case "session.start":
      return "ssh.session.start";
    case "session.end":
      return "ssh.session.end";
    case "sftp.operations":
      return "ssh.sftp.operations";
    case "recording.start":
    case "recording.chunks":
    case "recording.unechoed":
    case "recording.end":
      return `ssh.${body.type}`;
    case "forward.open":
      return "ssh.forward.open";
    case "forward.close":
      return "ssh.forward.close";
    case "auth.failed":
      return "ssh.auth.failed";
    case "agent.state":
      return "agent.state";
    default:
      return unreachable(body);
  }
}

/** The few facts that people look for in a list; `data` has the rest. */
function metaOf(body: AgentEventBody): Record<string, string> {
  switch (body.type) {
    case "decision":
      return {
        local_user: body.request.localUser,
        action: body.request.action.kind,
        outcome: body.decision.outcome,
        ...(body.decision.reason === null ? {} : { reason: body.decision.reason }),
        ...(body.receipt === null ? {} : { receipt: body.receipt }),
      };
    case "connection.open":
      return {
        local_user: body.localUser,
        path: body.path,
        source: body.sourceAddress,
        ...reasonMeta(body),
        ...(body.offline === undefined ? {} : { offline: "true" }),
      };
    case "connection.close":
      return { reason: body.reason ?? "ended" };
    case "session.start":
      return {
        kind: body.kind,
        ...(body.command === null ? {} : { command: body.command.slice(0, 256) }),
        ...reasonMeta(body),
      };
    case "session.end":
      return { exit: body.signal ?? String(body.exitStatus ?? "") };
    case "sftp.operations":
      return sftpMeta(body.operations);
    case "recording.start":
    case "recording.chunks":
    case "recording.unechoed":
    case "recording.end":
      return recordingMeta(body);
    case "forward.open":
      return { kind: body.kind, destination: body.destination };
    case "forward.close":
      return {
        kind: body.kind,
        destination: body.destination,
        reason: body.reason ?? "ended",
        bytes_in: String(body.bytesIn),
        bytes_out: String(body.bytesOut),
        duration_ms: String(body.durationMs),
      };
    case "auth.failed":
      return { reason: body.reason, source: body.sourceAddress, count: String(body.count) };
    case "agent.state":
      return { what: body.what, detail: body.detail };
    default:
      return unreachable(body);
  }
}

function reasonMeta({
  accessReason,
}: {
  readonly accessReason?: string | undefined;
}): Record<string, string> {
  return accessReason === undefined ? {} : { access_reason: accessReason };
}

/** The first operation by name, and the number of operations. */
function sftpMeta(operations: readonly SftpOperationRecord[]): Record<string, string> {
  const [first] = operations;
  if (first === undefined) return {};
  return { count: String(operations.length), op: first.op, path: first.path.slice(0, 256) };
}

function recordingMeta(
  body: Extract<AgentEventBody, { type: `recording.${string}` }>,
): Record<string, string> {
  const recording = body.recordingId;
  switch (body.type) {
    case "recording.start":
      return { recording, recipients: String(body.recipients) };
    case "recording.chunks":
      return { recording, first: String(body.first), count: String(body.digests.length) };
    case "recording.unechoed":
      return { recording, lines: String(body.lines), program: body.program };
    case "recording.end": {
      const { status, digest } = body;
      return { recording, status, ...(body.why === null ? {} : { why: body.why }), digest };
    }
    default:
      return unreachable(body);
  }
}
