/**
 * Verification of a machine's signed batch before its events are stored, so that everything in the log
 * verifies later.
 *
 * @module
 */
import { eventHash, isBatchOf, isSignedBatch } from "../../log/batch.ts";
import type { AgentEvent } from "../../wire/audit-event.ts";
import type { BatchRecord, SignedBatch } from "../../wire/log-entry.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";

/** A batch with the machine's signature over exactly these events. */
export interface ProvenBatch {
  readonly record: BatchRecord;
  /** The machine's own salt of an event. */
  saltOf(seq: number): { readonly salt: string };
}

/** Null: it does not match, or is not signed by the machine. `events` are those sent with it, as received. */
export function proveBatch(
  peer: { readonly id: PeerId; readonly accountId: AccountId; readonly deviceKey: string },
  management: string,
  { events, batch }: { readonly events: readonly AgentEvent[]; readonly batch: SignedBatch },
): ProvenBatch | null {
  const { salts, ...fields } = batch;
  const salted = events.map((event, i) => ({ event, salt: salts[i] ?? "" }));
  const record = { ...fields, peer_id: peer.id, management };
  const isWhole =
    salts.length === events.length &&
    events.every(({ seq }, i) => i === 0 || seq > (events[i - 1]?.seq ?? 0)) &&
    events[0]?.seq === batch.first_seq &&
    events.at(-1)?.seq === batch.last_seq &&
    isBatchOf(
      salted.map(({ event, salt }) => eventHash(event, salt)),
      batch,
    );
  if (!isWhole || !isSignedBatch(peer.deviceKey, peer.accountId, record)) return null;
  const bySeq = new Map(salted.map(({ event, salt }) => [event.seq, salt]));
  return { record, saltOf: (seq) => ({ salt: bySeq.get(seq) ?? "" }) };
}
