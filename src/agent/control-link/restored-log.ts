/**
 * Follows a log that was restored from an older copy. The machine accepts it once the log itself records what
 * was lost and that an owner has acknowledged the loss.
 *
 * Both entries must be proven in a checkpoint that the log's key signed. The loss must cover the largest
 * checkpoint that this machine has seen, and what it saw before the loss must be a prefix of the new log.
 * Otherwise the machine keeps its alarm and accepts nothing. Read `take`, then `prove`.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { type NoteKey, openCheckpoint, type ReadNote, readNote } from "../../log/checkpoint.ts";
import { keepNote } from "../../log/kept-notes.ts";
import { isConsistent } from "../../log/proofs.ts";
import type { ManagementMessage } from "../../wire/agent-sync.ts";
import { LostTailRecord } from "../../wire/log-entry.ts";
import type { LogAlarm, LogWitnessFile } from "../../wire/log-witness.ts";
import type { LogWitness } from "./log-witness.ts";
import { provenEntry } from "./proven-leaf.ts";

type LogMessage = Pick<Extract<ManagementMessage, { type: "log" }>, "note" | "restored">;

/** The loss that the log records, proven. */
interface Loss {
  readonly note: string;
  readonly read: ReadNote;
  readonly record: LostTailRecord;
  /** Who acknowledged the loss, as the log names them. */
  readonly by: string;
  /** The largest checkpoint from before the loss. Undefined: this machine has none. */
  readonly before: ReadNote | undefined;
}

export class RestoredLog {
  readonly #witness: Pick<LogWitness, "kept" | "restart">;
  readonly #clock: Clock;
  /** Waits for the proof that our last checkpoint before the loss is a prefix of the log. */
  #waiting: Loss | null = null;

  constructor(witness: Pick<LogWitness, "kept" | "restart">, clock: Clock) {
    this.#witness = witness;
    this.#clock = clock;
  }

  /**
   * Takes a checkpoint of a restored log. Returns the sizes between which to ask for a proof. Null: no proof
   * is needed, whether the log was accepted or not.
   */
  async take(message: LogMessage): Promise<{ readonly from: number; readonly to: number } | null> {
    const loss = lossIn(message, this.#witness.kept);
    if (loss === null) return null;
    const { before, read } = loss;
    if (before === undefined) await this.#restart(loss);
    else if (before.size === read.size) await this.#settle(loss, []);
    else {
      this.#waiting = loss;
      return { from: before.size, to: read.size };
    }
    return null;
  }

  /** Takes the requested proof. False: it is for another request. */
  async prove(from: number, to: number, proof: readonly string[] | null): Promise<boolean> {
    const loss = this.#waiting;
    if (loss?.before?.size !== from || loss.read.size !== to) return false;
    this.#waiting = null;
    if (proof !== null) await this.#settle(loss, proof);
    return true;
  }

  async #settle(loss: Loss, proof: readonly string[]): Promise<void> {
    const hashes = proof.map((hash) => Buffer.from(hash, "base64"));
    if (loss.before !== undefined && isConsistent(loss.before, loss.read, hashes)) await this.#restart(loss);
  }

  async #restart({ note, record, by }: Loss): Promise<void> {
    const { file } = this.#witness.kept;
    // Another device may have shown a larger checkpoint while the proof was on its way.
    if (file === undefined || largestSeen(file) > record.to) return;
    const older = file.notes.filter((one) => (readNote(one.note)?.size ?? 0) < record.from);
    const notes = keepNote(older, { atMs: nowSeconds(this.#clock) * 1000, note });
    const alarms = file.alarms.filter((alarm) => !isOfLoss(alarm, record));
    const lost = `entries ${record.from} to ${record.to}`;
    const sentence = `the audit log was restored without ${lost}, and ${by} has acknowledged it`;
    await this.#witness.restart({ ...file, notes, alarms }, sentence.slice(0, 512));
  }
}

/** Reads the loss in a message. Null: it is not proven, or does not match what this machine has seen. */
function lossIn(
  { note, restored }: LogMessage,
  { file, keys }: { readonly file: LogWitnessFile | undefined; readonly keys: readonly NoteKey[] },
): Loss | null {
  if (restored === undefined || file === undefined) return null;
  const read = openCheckpoint(note, [{ name: file.log.origin, publicKey: file.log.key }]);
  if (read === undefined || restored.acknowledged.seq <= restored.lost.seq) return null;
  const lost = provenEntry(restored.lost, read);
  const acknowledged = provenEntry(restored.acknowledged, read);
  if (lost?.activity_code !== "log.lost" || acknowledged?.activity_code !== "log.lost.acknowledge")
    return null;
  const record = LostTailRecord.safeParse(lost.data);
  if (!record.success) return null;
  const { from, to } = record.data;
  const seen = largestSeen(file);
  const isOurs = openCheckpoint(record.data.note, keys)?.size === to && seen >= from && seen <= to;
  if (!isOurs) return null;
  const before = file.notes
    .map((one) => readNote(one.note))
    .findLast((one) => one !== undefined && one.size < from);
  return { note, read, record: record.data, by: String(acknowledged.initiator_name ?? "an owner"), before };
}

function largestSeen({ notes }: LogWitnessFile): number {
  return Math.max(0, ...notes.map(({ note }) => readNote(note)?.size ?? 0));
}

/** Whether the loss explains the alarm: the alarm is about a checkpoint within it. */
function isOfLoss({ kind, ours }: LogAlarm, { from, to }: LostTailRecord): boolean {
  const size = readNote(ours)?.size ?? 0;
  return (kind === "cut_back" || kind === "forked") && size >= from && size <= to;
}
