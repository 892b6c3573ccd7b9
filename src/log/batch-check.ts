/**
 * Checks a log's batches while its entries are read: everything machines signed is present and unchanged, and
 * batches form a chain.
 *
 * It remembers what machines reported since their last batch, within bounds. Pruned entries, and those before
 * the bundle, are not findings.
 *
 * @module
 */
import type { AgentEvent } from "../wire/audit-event.ts";
import { BatchRecord, type LogEntry, NO_BATCH, PeerKeyRecord } from "../wire/log-entry.ts";
import type { AccountId } from "../wire/units.ts";
import { eventHash, isBatchOf, isSignedBatch } from "./batch.ts";
import type { FindingCode, LogFinding } from "./finding.ts";

/**
 * Most events of machines remembered. Beyond it the oldest are forgotten and their batches count as unproven.
 */
const WAITING_MAX = 100_000;
/** Most machines and devices remembered. */
const PEERS_MAX = 1_000_000;
/** Number of entries after a gap in which a batch may cover events before it. */
const NEAR_ENTRIES = 1_024;

interface PeerState {
  key: string | null;
  /** Hash of the last batch. Null: none was seen. */
  last: string | null;
}

export class BatchCheck {
  readonly #accountId: AccountId;
  readonly #found: (finding: LogFinding) => void;
  readonly #peers = new Map<string, PeerState>();
  /** Hashes of events by machine and number, in order of the log. */
  readonly #waiting = new Map<string, Buffer>();
  /** The last entry whose body is missing. */
  #holeSeq: number;
  /** Batches whose events were all present as signed. */
  proven = 0;
  /** Batches that could not be checked because older entries are missing. */
  unproven = 0;

  /** `holeSeq`: the entry before the first one. */
  constructor(accountId: AccountId, holeSeq: number, found: (finding: LogFinding) => void) {
    this.#accountId = accountId;
    this.#holeSeq = holeSeq;
    this.#found = found;
  }

  /** Records that the body of entry `seq` is missing. */
  hole(seq: number): void {
    this.#holeSeq = seq;
  }

  take(entry: LogEntry): void {
    if (entry.activity_code === "peer.key") this.#takeKey(entry);
    else if (entry.activity_code === "agent.batch") this.#takeBatch(entry);
    else if (entry.agent !== undefined && entry.data !== undefined) this.#takeEvent(entry, entry.agent);
  }

  #takeEvent(entry: LogEntry, { peer_id, seq }: { peer_id: string; seq: number }): void {
    const event = { seq, atMs: entry.at_ms, body: entry.data } as unknown as AgentEvent;
    this.#waiting.set(nameOf(peer_id, seq), eventHash(event, entry.salt));
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > WAITING_MAX && oldest !== undefined) this.#waiting.delete(oldest);
  }

  #takeKey(entry: LogEntry): void {
    const record = PeerKeyRecord.safeParse(entry.data);
    const peer = this.#peerOf(entry.target_id);
    if (!record.success) this.#report("entry_unreadable", entry.seq, "a peer's key cannot be read");
    if (!record.success || peer === undefined) return;
    if (peer.key !== null && peer.key !== record.data.device_key) {
      const what = `the key of ${entry.target_id} is another from entry ${entry.seq} on`;
      this.#report("peer_key_changed", entry.seq, what);
    }
    peer.key ??= record.data.device_key;
  }

  #takeBatch(entry: LogEntry): void {
    const parsed = BatchRecord.safeParse(entry.data);
    if (!parsed.success) {
      this.#report("entry_unreadable", entry.seq, "a batch cannot be read");
      return;
    }
    const batch = parsed.data;
    const peer = this.#peerOf(batch.peer_id);
    if (peer === undefined) return;
    const name = `entry ${entry.seq}, the batch ${batch.first_seq} to ${batch.last_seq} of ${batch.peer_id},`;
    this.#checkSignature(entry.seq, name, { batch, key: peer.key });
    if (peer.last !== null && batch.previous !== peer.last && batch.previous !== NO_BATCH) {
      this.#report("batch_out_of_chain", entry.seq, `${name} does not follow the machine's batch before it`);
    }
    peer.last = batch.hash;
    this.#checkEvents(entry.seq, name, batch);
  }

  #checkSignature(
    seq: number,
    name: string,
    { batch, key }: { readonly batch: BatchRecord; readonly key: string | null },
  ): void {
    if (key === null && this.#holeSeq > 0) return;
    if (key !== null && isSignedBatch(key, this.#accountId, batch)) return;
    const why =
      key === null ? "is of a machine whose key the log does not have" : "is not signed by the machine";
    this.#report("batch_forged", seq, `${name} ${why}`);
  }

  #checkEvents(seq: number, name: string, batch: BatchRecord): void {
    const hashes: Buffer[] = [];
    const missing: number[] = [];
    const count = batch.last_seq - batch.first_seq + 1;
    // A batch has at most 256 events; a hostile one may claim any numbers.
    for (let i = 0; i < Math.min(count, NEAR_ENTRIES); i++) {
      const event = nameOf(batch.peer_id, batch.first_seq + i);
      const hash = this.#waiting.get(event);
      if (hash === undefined) missing.push(batch.first_seq + i);
      else hashes.push(hash);
      this.#waiting.delete(event);
    }
    if (hashes.length > 0 && isBatchOf(hashes, batch)) {
      this.proven += 1;
      return;
    }
    const isNearHole = this.#holeSeq > 0 && seq - this.#holeSeq <= NEAR_ENTRIES;
    if (missing.length > 0 && isNearHole) {
      this.unproven += 1;
      return;
    }
    const [first] = missing;
    if (first === undefined) this.#report("batch_forged", seq, `${name} is not of these events`);
    else this.#report("batch_missing_events", seq, `${name} has event ${first}, which the log does not have`);
  }

  #peerOf(peerId: string): PeerState | undefined {
    const known = this.#peers.get(peerId);
    if (known !== undefined || this.#peers.size >= PEERS_MAX) return known;
    const peer = { key: null, last: null };
    this.#peers.set(peerId, peer);
    return peer;
  }

  #report(code: FindingCode, seq: number, sentence: string): void {
    this.#found({ code, seq, sentence });
  }
}

function nameOf(peerId: string, seq: number): string {
  return `${peerId} ${seq}`;
}
