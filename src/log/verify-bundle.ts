/**
 * Verifies a bundle line by line in constant memory. A bundle is hostile input: faults are findings and never
 * throw.
 *
 * Its entries must form the tree of its checkpoint, signed by a key that the reader trusts. If they do not,
 * the hash lines and smaller checkpoints locate the changed entry. Read `line`, then `end`.
 *
 * @module
 */
import { parseJson } from "../base/files.ts";
import { BundleHeader, HashLine, LogEntry, PrunedEntry } from "../wire/log-entry.ts";
import { BatchCheck } from "./batch-check.ts";
import { canonicalJson } from "./canonical-json.ts";
import { type NoteKey, parseVerifierKey, type ReadNote, readNote } from "./checkpoint.ts";
import { CompactRange } from "./compact-range.ts";
import type { FindingCode, LogFinding } from "./finding.ts";
import { LostTailCheck } from "./lost-tail-check.ts";
import { isSameHash, leafHash } from "./tree-hash.ts";
import { nodesOf } from "./tree-ranges.ts";
import { type Anchors, judgeTrust, type Mark } from "./trust.ts";

/** Longest line accepted; longer than any event. */
export const BUNDLE_LINE_BYTES_MAX = 4 * 1024 * 1024;
/** Most findings kept; further ones are only counted. */
const FINDINGS_MAX = 100;

export interface BundleReport {
  readonly findings: readonly LogFinding[];
  /** Number of findings beyond those kept. */
  readonly more: number;
  /** Whether anything beyond the bundle's own keys supports it. */
  readonly isAnchored: boolean;
  readonly origin: string | null;
  readonly size: number;
  /** Entries with bodies, and those with only a hash. */
  readonly entries: number;
  readonly pruned: number;
  readonly batches: { readonly proven: number; readonly unproven: number };
}

/** Activities whose bodies retention keeps: keys, and statements about the log itself. */
export const KEPT = /^(?:peer\.key|log\..*)$/;

/** An entry waiting for the line with its hash. */
interface Waiting {
  readonly seq: number;
  readonly hash: Buffer;
  readonly entry: LogEntry | null;
}

export class BundleVerifier {
  readonly #anchors: Anchors;
  readonly #findings: LogFinding[] = [];
  #more = 0;
  #header: BundleHeader | null = null;
  #range = new CompactRange();
  #batches: BatchCheck | null = null;
  readonly #lostTails = new LostTailCheck();
  #waiting: Waiting[] = [];
  /** The number of the next entry. */
  #next = 1;
  #entries = 0;
  /** Whether an entry that retention would have removed has its body. */
  #hasBody = false;
  #pruned = 0;
  #note: ReadNote | null = null;
  /** Smaller checkpoints, smallest first. `isOurs`: kept elsewhere. */
  #marks: Mark[] = [];
  #isAnchored = false;
  /** Whether the tree is known to differ, so that consequences are not reported again. */
  #isTreeLost = false;

  constructor(anchors: Anchors) {
    this.#anchors = anchors;
  }

  /** Processes the next line, without its line feed. */
  line(text: string): void {
    if (this.#header === null) {
      if (this.#findings.length === 0) this.#takeHeader(text);
      return;
    }
    const value = parseJson(text);
    const hashes = HashLine.safeParse(value);
    const pruned = PrunedEntry.safeParse(value);
    if (hashes.success) this.#takeHashes(hashes.data);
    else if (!pruned.success) this.#takeEntry(text, value);
    else {
      const { seq, hash } = pruned.data;
      this.#waiting.push({ seq, hash: Buffer.from(hash, "base64"), entry: null });
    }
  }

  #takeEntry(text: string, value: unknown): void {
    const parsed = LogEntry.safeParse(value);
    if (!parsed.success) {
      this.#report("entry_unreadable", this.#next + this.#waiting.length, "it is no entry of a log");
      return;
    }
    const { seq } = parsed.data;
    // Another parser could read a non-canonical entry as a different event.
    if (!isCanonical(text, value)) this.#report("entry_changed", seq, "it is not in canonical form");
    this.#waiting.push({ seq, hash: leafHash(text), entry: parsed.data });
    // A bundle without hash lines is read too.
    if (this.#waiting.length > 256) this.#flush(null);
  }

  #takeHeader(text: string): void {
    const parsed = BundleHeader.safeParse(parseJson(text));
    const keys = parsed.success ? parsed.data.keys.map(parseVerifierKey) : [];
    const note = parsed.success ? readNote(parsed.data.checkpoint) : undefined;
    if (!parsed.success || note === undefined || !keys.every((key) => key !== undefined)) {
      this.#report("bundle_unreadable", null, "the first line is not that of an export of the log");
      return;
    }
    const header = parsed.data;
    if (!this.#begin(header)) return;
    this.#header = header;
    this.#note = note;
    this.#batches = new BatchCheck(header.account_id, header.first - 1, (one) => this.#push(one));
    const { findings, isAnchored, marks } = judgeTrust(this.#anchors, {
      header,
      note,
      own: keys as NoteKey[],
    });
    for (const finding of findings) this.#push(finding);
    this.#isAnchored = isAnchored;
    this.#marks = [...marks];
    this.#lookAtMarks();
  }

  /** Sets up the subtrees before the first entry. */
  #begin({ account_id, origin, first, last, before, after, checkpoint }: BundleHeader): boolean {
    const size = readNote(checkpoint)?.size ?? 0;
    const isSound =
      origin.endsWith(`/${account_id}`) &&
      last >= first - 1 &&
      last <= size &&
      nodesOf({ from: 0, to: first - 1 }).length === before.length &&
      nodesOf({ from: last, to: size }).length === after.length;
    if (!isSound) {
      this.#report("bundle_unreadable", null, "the first line contradicts itself");
      return false;
    }
    this.#range = new CompactRange(
      first - 1,
      before.map((hash) => Buffer.from(hash, "base64")),
    );
    this.#next = first;
    return true;
  }

  #takeHashes({ first, hashes }: HashLine): void {
    this.#flush({ first, hashes: hashes.map((hash) => Buffer.from(hash, "base64")) });
  }

  /** Adds waiting entries to the tree. With `stated`, names missing or changed ones. */
  #flush(stated: { readonly first: number; readonly hashes: readonly Buffer[] } | null): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#nameMisplaced(waiting);
    const bySeq = new Map(waiting.map((one) => [one.seq, one]));
    const last = stated === null ? this.#lastOf(waiting) : stated.first + stated.hashes.length - 1;
    if (stated !== null && stated.first !== this.#next) {
      this.#report("bundle_unreadable", this.#next, "the lines of hashes are not in order");
    }
    for (let seq = this.#next; seq <= last; seq++) this.#place(seq, bySeq.get(seq), hashAt(stated, seq));
    this.#next = Math.max(this.#next, last + 1);
  }

  /** The last entry before a gap too wide to name each missing entry. */
  #lastOf(waiting: readonly Waiting[]): number {
    const last = waiting.reduce((most, { seq }) => Math.max(most, seq), this.#next - 1);
    return Math.min(last, this.#next + 2 * waiting.length);
  }

  #nameMisplaced(waiting: readonly Waiting[]): void {
    let before = this.#next - 1;
    for (const { seq } of waiting) {
      if (seq <= before) this.#report("entry_misplaced", seq, `it stands behind entry ${before}`);
      before = Math.max(before, seq);
    }
  }

  #place(seq: number, one: Waiting | undefined, stated: Buffer | null): void {
    if (one === undefined) this.#report("entry_missing", seq, "it is missing");
    else if (stated !== null && !one.hash.equals(stated)) {
      this.#report("entry_changed", seq, "it is not the entry that was hashed");
    }
    if (one === undefined || one.entry === null) this.#placeHole(seq, one !== undefined);
    else {
      this.#entries += 1;
      this.#hasBody ||= !KEPT.test(one.entry.activity_code);
      this.#batches?.take(one.entry);
      this.#lostTails.take(one.entry);
    }
    this.#range.append(stated ?? one?.hash ?? leafHash(""));
    this.#lookAtMarks();
  }

  /** Retention removes bodies from the beginning, so one missing among others was removed by someone. */
  #placeHole(seq: number, isPruned: boolean): void {
    this.#batches?.hole(seq);
    if (!isPruned) return;
    this.#pruned += 1;
    if (this.#hasBody)
      this.#report("entry_missing", seq, "its body was taken out, though an older one is there");
  }

  /** Compares the tree with each checkpoint of its present size. */
  #lookAtMarks(): void {
    for (let mark = this.#marks[0]; mark !== undefined && mark.note.size <= this.#range.size; ) {
      this.#marks.shift();
      if (mark.note.size === this.#range.size && !this.#isTreeLost) this.#compare(mark.note, mark.isOurs);
      mark = this.#marks[0];
    }
  }

  #compare({ size, root }: ReadNote, isOurs: boolean): void {
    if (size === 0 || isSameHash(this.#range.root(), root)) return;
    this.#isTreeLost = true;
    const sentence = isOurs
      ? `the log is not the one of the checkpoint: it was rewritten or forked before entry ${size + 1}`
      : `an entry up to ${size} is not the one of the signed checkpoint`;
    this.#report(isOurs ? "forked" : "tree_differs", size, sentence);
  }

  /** Processes the end of the bundle and returns the report. */
  end(): BundleReport {
    const header = this.#header;
    if (header !== null) this.#finish(header);
    else if (this.#findings.length === 0) this.#report("bundle_unreadable", null, "the bundle is empty");
    return {
      findings: this.#findings,
      more: this.#more,
      isAnchored: this.#isAnchored,
      origin: header?.origin ?? null,
      size: this.#note?.size ?? 0,
      entries: this.#entries,
      pruned: this.#pruned,
      batches: { proven: this.#batches?.proven ?? 0, unproven: this.#batches?.unproven ?? 0 },
    };
  }

  #finish(header: BundleHeader): void {
    const note = this.#note;
    if (this.#waiting.length > 0) this.#flush(null);
    for (const finding of this.#lostTails.end()) this.#push(finding);
    if (this.#next <= header.last) {
      const sentence = `entries ${this.#next} to ${header.last} are missing`;
      this.#report("entry_missing", this.#next, sentence);
      return;
    }
    if (this.#next > header.last + 1) {
      this.#report("bundle_unreadable", header.last + 1, "there are more entries than the first line says");
      return;
    }
    if (note === null) return;
    const nodes = nodesOf({ from: header.last, to: note.size });
    for (const [i, { level }] of nodes.entries()) {
      this.#range.appendNode(level, Buffer.from(header.after[i] ?? "", "base64"));
      this.#lookAtMarks();
    }
    if (this.#isTreeLost || note.size === 0 || isSameHash(this.#range.root(), note.root)) return;
    this.#report(
      "tree_differs",
      note.size,
      `the entries are not those of the signed checkpoint of ${note.size}`,
    );
  }

  #report(code: FindingCode, seq: number | null, sentence: string): void {
    this.#push({ code, seq, sentence });
  }

  #push(finding: LogFinding): void {
    if (this.#findings.length < FINDINGS_MAX) this.#findings.push(finding);
    else this.#more += 1;
  }
}

function hashAt(
  stated: { readonly first: number; readonly hashes: readonly Buffer[] } | null,
  seq: number,
): Buffer | null {
  return stated?.hashes[seq - stated.first] ?? null;
}

function isCanonical(text: string, value: unknown): boolean {
  try {
    return canonicalJson(value) === text;
  } catch {
    return false; // Nested deeper than any entry, or with a lone surrogate.
  }
}
