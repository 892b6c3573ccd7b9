/**
 * The next events to upload, with this machine's signature over them.
 *
 * A batch is signed once, over the events that wait at that moment, and stored before it is sent. What has to
 * be sent again goes in the same batch. Salts come from the device key, so that nothing more is stored: to
 * anyone without the key they are random.
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
  /** Absent: management keeps no log, or an older one. */
  readonly batch?: SignedBatch;
}

export interface AuditSigner {
  readonly journal: BatchJournal;
  readonly deviceKey: Ed25519Key;
  readonly enrolled: Enrolled;
}

/** The next events of `spool` and what is signed of them. Null: none wait. */
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

/** The events of `batch` that are stored, which may be more than one read gives. */
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

/** The body of each event is written once, for both. */
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

/** 16 bytes that differ for each event, and are the same whenever it is sent. */
export function saltOf(
  { seed }: Pick<Ed25519Key, "seed">,
  event: AgentEvent,
  body = canonicalBody(event),
): string {
  const mac = createHmac("sha256", `qufabric/audit-salt/v1 ${seed}`).update(eventText(event, body)).digest();
  return mac.subarray(0, SALT_BYTES).toString("base64url");
}
