/**
 * The next events to upload, with this machine's signature over them.
 *
 * A batch covers the events that are waiting when it is made. It is signed once and stored before it is sent,
 * so a resend carries the same batch. Salts are derived from the device key and need no storage; they look
 * random to anyone without the key.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { BatchJournal } from "../../audit/batch-journal.ts";
import type { Spool } from "../../audit/spool-contract.ts";
import type { Ed25519Key } from "../../base/ed25519.ts";
import { batchHash, canonicalBody, eventHash, eventText, isBatchOf, signBatch } from "../../log/batch.ts";
import type { Enrolled } from "../../wire/agent-state-file.ts";
import type { AgentEvent } from "../../wire/audit-event.ts";
import type { StoredBatch } from "../../wire/audit-journal.ts";
import { AUDIT_BATCH_MAX, NO_BATCH, type SignedBatch } from "../../wire/log-entry.ts";

const SALT_BYTES = 16;

/** Events for one message. */
export interface AuditUploadBatch {
  readonly events: AgentEvent[];
  /** Absent: management keeps no log, or takes an older event version. */
  readonly batch?: SignedBatch;
}

export interface AuditSigner {
  readonly journal: BatchJournal;
  readonly deviceKey: Ed25519Key;
  readonly enrolled: Enrolled;
}

/** The next events of `spool` and their signed batch. Null: no events are waiting. */
export async function nextSigned(spool: Spool, signer: AuditSigner): Promise<AuditUploadBatch | null> {
  const from = spool.nextUnacknowledged;
  const { batch, next } = signer.journal.around(from);
  if (batch !== undefined) {
    const events = await eventsOf(spool, batch);
    const { salts, hashes } = saltsAndHashes(signer.deviceKey, events);
    if (events.length > 0 && isBatchOf(hashes, batch)) return { events, batch: { ...batch, salts } };
    signer.journal.forget(batch);
  }
  const waiting = await spool.pending(from, AUDIT_BATCH_MAX);
  const events = waiting.filter(({ seq }) => next === undefined || seq < next.first_seq);
  return events.length === 0 ? null : await sign(signer, events);
}

async function sign(signer: AuditSigner, events: AgentEvent[]): Promise<AuditUploadBatch> {
  const { journal, deviceKey, enrolled } = signer;
  const { salts, hashes } = saltsAndHashes(deviceKey, events);
  const first = (events[0] as AgentEvent).seq;
  const fields = {
    first_seq: first,
    last_seq: (events.at(-1) as AgentEvent).seq,
    hash: batchHash(hashes),
    previous: journal.last !== undefined && journal.last.last_seq < first ? journal.last.hash : NO_BATCH,
  };
  const { accountId, peerId, origin } = enrolled;
  const signature = signBatch(deviceKey, accountId, { ...fields, peer_id: peerId, management: origin });
  const stored: StoredBatch = { ...fields, signature };
  await journal.add(stored);
  return { events, batch: { ...stored, salts } };
}

/** The stored events of `batch`. One read may not return all of them. */
async function eventsOf(spool: Spool, batch: StoredBatch): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for (let from = batch.first_seq; from <= batch.last_seq; ) {
    const read = await spool.stored(from, AUDIT_BATCH_MAX);
    const fitting = read.filter(({ seq }) => seq <= batch.last_seq);
    events.push(...fitting);
    const last = fitting.at(-1);
    if (last === undefined) break;
    from = last.seq + 1;
  }
  return events;
}

/** Serializes the body of each event once, for its salt and its hash. */
function saltsAndHashes(key: Pick<Ed25519Key, "seed">, events: readonly AgentEvent[]) {
  const salts: string[] = [];
  const hashes: Buffer[] = [];
  for (const event of events) {
    const body = canonicalBody(event);
    const salt = saltOf(key, event, body);
    salts.push(salt);
    hashes.push(eventHash(event, salt, body));
  }
  return { salts, hashes };
}

/** Derives the salt of an event: 16 bytes, different for each event and the same at each resend. */
export function saltOf(
  { seed }: Pick<Ed25519Key, "seed">,
  event: AgentEvent,
  body = canonicalBody(event),
): string {
  const mac = createHmac("sha256", `qufabric/audit-salt/v1 ${seed}`).update(eventText(event, body)).digest();
  return mac.subarray(0, SALT_BYTES).toString("base64url");
}
