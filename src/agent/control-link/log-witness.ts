/**
 * The machine as a witness of its account's log. It keeps the largest checkpoint that it has seen, and
 * accepts another only with a proof that one is a prefix of the other.
 *
 * Two checkpoints that the log's key signed but that no proof joins raise an alarm. The alarm stays until a
 * person has looked at it: in `status` and `doctor`, in the system's log, and for users who connect. A note
 * that the key has not signed is ignored. Read `take`, then `meet`.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import {
  keyId,
  type NoteKey,
  noteOf,
  openCheckpoint,
  type ReadNote,
  readNote,
} from "../../log/checkpoint.ts";
import { keepNote } from "../../log/kept-notes.ts";
import { followHandovers } from "../../log/key-handover.ts";
import { isConsistent } from "../../log/proofs.ts";
import { isSameHash } from "../../log/tree-hash.ts";
import type { ManagementMessage, ProvenLeaf } from "../../wire/agent-sync.ts";
import type { StoredBatch } from "../../wire/audit-journal.ts";
import type { HelloCheckpoint } from "../../wire/hello.ts";
import { BatchRecord, type LogIdentity, PeerKeyRecord, type ServedLog } from "../../wire/log-entry.ts";
import type { LogAlarm, LogWitnessFile } from "../../wire/log-witness.ts";
import { sentenceOfAlarm } from "./log-alarms.ts";
import { provenEntry } from "./proven-leaf.ts";

/** Alarms kept. The first ones show how it began. */
const ALARMS_MAX = 8;
/** How long management has to prove that two checkpoints belong to one log. */
export const PROOF_MS_MAX = 60_000;
/** Checkpoints from other peers that may wait for a proof at once. */
const MEETINGS_MAX = 16;
/** Checkpoints remembered as compared. Management makes one a minute. */
const MET_MAX = 256;

type LogMessage = Extract<ManagementMessage, { type: "log" }>;

export interface LogWitnessDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly stored: LogWitnessFile | undefined;
  /** Writes the file to disk. */
  save(file: LogWitnessFile): Promise<void>;
  /** Writes to the system's log at level `alert`. */
  alert(sentence: string): void;
  /** Records an alarm in the account's log, as an event of this machine. */
  report(sentence: string): void;
}

/** A checkpoint that another peer was shown, to be compared with ours. */
interface Meeting {
  readonly theirs: ReadNote;
  readonly note: string;
  readonly from: number;
  readonly to: number;
  readonly untilMs: number;
}

export class LogWitness {
  readonly #deps: LogWitnessDeps;
  #file: LogWitnessFile | undefined;
  #newest: ReadNote | undefined;
  #meetings: Meeting[] = [];
  /** Checkpoints from hellos that have been compared already. */
  readonly #met = new Set<string>();
  #ask: ((from: number, to: number) => void) | null = null;

  constructor(deps: LogWitnessDeps) {
    this.#deps = deps;
    this.#file = deps.stored;
    this.#newest = this.#open(deps.stored?.notes.at(-1)?.note);
  }

  /** Size of the largest checkpoint, in entries. 0: none seen. */
  get size(): number {
    return this.#newest?.size ?? 0;
  }

  /** The largest checkpoint. Undefined: none seen. */
  get note(): string | undefined {
    return this.#file?.notes.at(-1)?.note;
  }

  get alarms(): readonly LogAlarm[] {
    return this.#file?.alarms ?? [];
  }

  /** The pinned log. Undefined: none yet. */
  get identity(): LogIdentity | undefined {
    return this.#file?.log;
  }

  /**
   * Pins the log that management names, or follows changes of the pinned key, where each key vouches for the
   * next. False: management names another log.
   */
  async pin({ origin, key, handovers = [] }: ServedLog): Promise<boolean> {
    const log = { origin, key };
    if (this.#file === undefined) {
      await this.#save({ format: 1, log, notes: [], alarms: [] });
      return true;
    }
    const { log: pinned, older = [] } = this.#file;
    if (pinned.key === key && pinned.origin === origin) return true;
    const keys = followHandovers(pinned, handovers);
    if (pinned.origin === origin && keys.at(-1) === key) {
      this.#deps.log.info("the audit log is signed by another key, by the word of the one before", { key });
      await this.#save({ ...this.#file, log, older: [...older, ...keys.slice(0, -1)].slice(-64) });
      return true;
    }
    await this.#alarm("other_key", { ours: this.note ?? "", theirs: `${log.origin} ${log.key}` });
    return false;
  }

  /** The stored file, and every key that may have signed its notes. */
  get kept(): { readonly file: LogWitnessFile | undefined; readonly keys: readonly NoteKey[] } {
    return { file: this.#file, keys: this.#keys() };
  }

  /** Continues with a restored log that `RestoredLog` has verified. `sentence` is reported to that log. */
  async restart(file: LogWitnessFile, sentence: string): Promise<void> {
    this.#newest = this.#open(file.notes.at(-1)?.note);
    this.#meetings = [];
    await this.#save(file);
    this.#deps.log.warn(sentence);
    this.#deps.report(sentence);
  }

  /** Sets how to ask management for proofs. Null: the link is down. */
  connect(ask: ((from: number, to: number) => void) | null): void {
    this.#ask = ask;
    if (ask !== null) for (const { from, to } of this.#meetings) ask(from, to);
  }

  /** Takes a checkpoint from management. False: it is not signed, or does not extend what was seen. */
  async take({ note, consistency }: Pick<LogMessage, "note" | "consistency">): Promise<boolean> {
    const log = this.#file?.log;
    const read =
      log === undefined ? undefined : openCheckpoint(note, [{ name: log.origin, publicKey: log.key }]);
    if (read === undefined) {
      this.#deps.log.warn("a checkpoint of management is not signed by the log's key");
      return false;
    }
    const ours = this.#newest;
    const proof = consistency.map((hash) => Buffer.from(hash, "base64"));
    if (ours !== undefined && !isConsistent(ours, read, proof)) {
      // A device may have shown us a larger checkpoint since we last told management our size. This proof
      // then begins elsewhere, and we ask for one that begins at our size.
      const isElsewhere = read.size !== ours.size && proof.length > 0;
      if (isElsewhere && this.#ask !== null && this.#meetings.length < MEETINGS_MAX) await this.meet(note);
      else {
        const kind = read.size < ours.size ? "cut_back" : "forked";
        await this.#alarm(kind, { ours: this.note ?? "", theirs: note });
      }
      return false;
    }
    if (ours === undefined || read.size > ours.size) await this.#keep(read, note);
    return true;
  }

  /** Whether the newest checkpoint includes the leaf, and the leaf holds the batch exactly as signed here. */
  isProven(shown: ProvenLeaf, batch: StoredBatch): boolean {
    const entry = this.#newest === undefined ? undefined : provenEntry(shown, this.#newest);
    const record = BatchRecord.safeParse(entry?.data);
    return entry?.activity_code === "agent.batch" && record.success && isSameBatch(record.data, batch);
  }

  /**
   * Checks the log entry that put this machine's device key into force. Another key there is an alarm: its
   * holder could pose as this machine.
   */
  async checkOwnKey(
    own: { readonly peerId: string; readonly deviceKey: string },
    shown: ProvenLeaf,
  ): Promise<void> {
    const entry = this.#newest === undefined ? undefined : provenEntry(shown, this.#newest);
    if (entry?.activity_code !== "peer.key" || entry.target_id !== own.peerId) return;
    const record = PeerKeyRecord.safeParse(entry.data);
    const logged = record.success ? record.data.device_key : "";
    if (logged === own.deviceKey) return;
    await this.#alarm("own_key", { ours: own.deviceKey, theirs: `entry ${shown.seq}: ${logged}` });
  }

  /** Compares the checkpoint in a proven device's hello, once each. */
  async meetHello({ size, root, signature }: HelloCheckpoint): Promise<void> {
    const log = this.#file?.log;
    const name = `${size} ${root} ${signature}`;
    if (log === undefined || this.#met.has(name)) return;
    if (this.#met.size >= MET_MAX) this.#met.clear();
    this.#met.add(name);
    const checkpoint = { origin: log.origin, size, root: Buffer.from(root, "base64") };
    for (const key of this.#keys()) {
      const note = noteOf(checkpoint, { id: keyId(key), signature: Buffer.from(signature, "base64url") });
      if (openCheckpoint(note, [key]) !== undefined) await this.meet(note);
    }
  }

  /** Compares ours with a checkpoint that another peer was shown. Ignores one without a valid signature. */
  async meet(note: string): Promise<void> {
    const theirs = this.#open(note);
    const ours = this.#newest;
    if (theirs === undefined || ours === undefined || theirs.size === 0 || ours.size === 0) return;
    if (theirs.size === ours.size) {
      if (!isSameHash(theirs.root, ours.root))
        await this.#alarm("forked", { ours: this.note ?? "", theirs: note });
      return;
    }
    if (this.#meetings.length >= MEETINGS_MAX) return;
    const [from, to] = [Math.min(theirs.size, ours.size), Math.max(theirs.size, ours.size)];
    const untilMs = this.#deps.clock.monotonicMs() + PROOF_MS_MAX;
    this.#meetings.push({ theirs, note, from, to, untilMs });
    this.#ask?.(from, to);
  }

  /** Takes management's proof that size `from` is a prefix of size `to`. Null: it has none. */
  async prove(from: number, to: number, proof: readonly string[] | null): Promise<void> {
    const hashes = proof?.map((hash) => Buffer.from(hash, "base64")) ?? null;
    const due = this.#meetings.filter((one) => one.from === from && one.to === to);
    this.#meetings = this.#meetings.filter((one) => !due.includes(one));
    for (const { theirs, note } of due) {
      const ours = this.#ofSize(theirs.size === from ? to : from);
      // Ours has grown meanwhile, so compare again with the current one.
      if (ours === undefined) await this.meet(note);
      else await this.#judge(ours, { theirs, note, hashes });
    }
  }

  async #judge(
    ours: ReadNote,
    { theirs, note, hashes }: { theirs: ReadNote; note: string; hashes: readonly Buffer[] | null },
  ): Promise<void> {
    const [before, after] = theirs.size < ours.size ? [theirs, ours] : [ours, theirs];
    if (hashes === null || !isConsistent(before, after, hashes)) {
      await this.#alarm("forked", { ours: this.note ?? "", theirs: note });
    } else if (theirs.size > this.size) await this.#keep(theirs, note);
  }

  /** Called periodically. A proof that did not come in time counts as missing. */
  async beat(): Promise<void> {
    if (this.#ask === null) return; // The link is down, so management is not to blame.
    const nowMs = this.#deps.clock.monotonicMs();
    const late = this.#meetings.filter(({ untilMs }) => untilMs < nowMs);
    this.#meetings = this.#meetings.filter((one) => !late.includes(one));
    for (const { note } of late) await this.#alarm("forked", { ours: this.note ?? "", theirs: note });
  }

  #ofSize(size: number): ReadNote | undefined {
    const notes = this.#file?.notes.toReversed() ?? [];
    return notes.map(({ note }) => readNote(note)).find((read) => read?.size === size);
  }

  /** Opens a note signed by any key that the log has had. */
  #open(note: string | undefined): ReadNote | undefined {
    return note === undefined ? undefined : openCheckpoint(note, this.#keys());
  }

  #keys(): NoteKey[] {
    if (this.#file === undefined) return [];
    const { log, older = [] } = this.#file;
    return [log.key, ...older].map((publicKey) => ({ name: log.origin, publicKey }));
  }

  async #keep(read: ReadNote, note: string): Promise<void> {
    this.#newest = read;
    const file = this.#file;
    if (file === undefined) return;
    const atMs = Math.max(0, Math.round(this.#deps.clock.nowMs()));
    await this.#save({ ...file, notes: keepNote(file.notes, { atMs, note }) });
  }

  async #alarm(kind: LogAlarm["kind"], notes: Pick<LogAlarm, "ours" | "theirs">): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    const isKnown = file.alarms.some((one) => one.kind === kind && one.theirs === notes.theirs);
    if (isKnown || file.alarms.length >= ALARMS_MAX) return;
    const atMs = Math.max(0, Math.round(this.#deps.clock.nowMs()));
    const sentence = sentenceOfAlarm(kind);
    this.#deps.log.error(sentence, { ours: notes.ours, theirs: notes.theirs });
    await this.#save({ ...file, alarms: [...file.alarms, { kind, atMs, ...notes }] });
    this.#deps.alert(sentence);
    this.#deps.report(sentence);
  }

  async #save(file: LogWitnessFile): Promise<void> {
    this.#file = file;
    await this.#deps.save(file);
  }
}

function isSameBatch(logged: BatchRecord, ours: StoredBatch): boolean {
  const bytes = ({ hash, previous, signature }: StoredBatch | BatchRecord): Buffer =>
    Buffer.from(hash + previous + signature, "ascii");
  return logged.last_seq === ours.last_seq && isSameHash(bytes(logged), bytes(ours));
}
