/**
 * An agent's signed batches, on disk before they are sent. A batch once sent is always resent unchanged, and
 * each names the one before.
 *
 * `batches.jsonl` beside the spool's segments. Lines are appended. The file is rewritten when it has grown
 * and mostly concerns deleted events.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { appendDurably, makeDirectory, parseJson, writeFileAtomic } from "../base/files.ts";
import { JournalLine, type StoredBatch } from "../wire/audit-journal.ts";

/** Size above which the file is rewritten, if that makes it smaller. */
const COMPACT_BYTES = 1024 * 1024;

export class BatchJournal {
  readonly #path: string;
  #batches: StoredBatch[];
  #provenThrough: number;
  #bytes: number;

  private constructor(path: string, lines: readonly JournalLine[], bytes: number) {
    this.#path = path;
    this.#batches = lines.flatMap((line) => ("batch" in line ? [line.batch] : []));
    this.#provenThrough = Math.max(0, ...lines.map((line) => ("proven" in line ? line.proven : 0)));
    this.#bytes = bytes;
  }

  /** Reads the file. An unreadable line, such as one cut short by a crash, was never sent. */
  static async open(directory: string): Promise<BatchJournal> {
    await makeDirectory(directory, 0o700);
    const path = join(directory, "batches.jsonl");
    const text = await readFile(path, "utf8").catch(() => "");
    const lines = text.split("\n").flatMap((line) => {
      const parsed = JournalLine.safeParse(parseJson(line));
      return parsed.success ? [parsed.data] : [];
    });
    // Rewritten whole, so that appended lines do not join one that was cut short.
    const whole = textOf(lines);
    if (whole !== text) await writeFileAtomic(path, whole, 0o600);
    return new BatchJournal(path, lines, Buffer.byteLength(whole));
  }

  /** Events up to and including this number are proven to be in the log. */
  get provenThrough(): number {
    return this.#provenThrough;
  }

  get last(): StoredBatch | undefined {
    return this.#batches.at(-1);
  }

  /** The batch that contains event `seq`; otherwise the next one, which a new batch must not reach. */
  around(seq: number): { readonly batch?: StoredBatch; readonly next?: StoredBatch } {
    const found = this.#batches.findLast((one) => one.first_seq <= seq && seq <= one.last_seq);
    if (found !== undefined) return { batch: found };
    const later = this.#batches.filter(({ first_seq }) => first_seq > seq);
    const [next] = later.sort((a, b) => a.first_seq - b.first_seq);
    return next === undefined ? {} : { next };
  }

  /** The first batch with events after number `seq`. */
  after(seq: number): StoredBatch | undefined {
    const later = this.#batches.filter(({ last_seq }) => last_seq > seq);
    return later.sort((a, b) => a.last_seq - b.last_seq)[0];
  }

  /** Stores a batch; it may be sent once this resolves. */
  async add(batch: StoredBatch): Promise<void> {
    await this.#append({ batch });
    this.#batches.push(batch);
  }

  /** Drops a batch that does not match the stored events. */
  forget(batch: StoredBatch): void {
    this.#batches = this.#batches.filter((one) => one !== batch);
  }

  /** Records what is proven. Batches of events before `firstSeq` are dropped with them. */
  async prove(throughSeq: number, firstSeq: number): Promise<void> {
    if (throughSeq <= this.#provenThrough) return;
    await this.#append({ proven: throughSeq });
    this.#provenThrough = throughSeq;
    const kept = this.#batches.filter(({ last_seq }, i) => {
      return last_seq >= firstSeq || i === this.#batches.length - 1;
    });
    this.#batches = kept;
    const lines = [...kept.map((batch) => ({ batch })), { proven: throughSeq }];
    if (this.#bytes < COMPACT_BYTES) return;
    const text = textOf(lines);
    if (text.length * 2 < this.#bytes) {
      await writeFileAtomic(this.#path, text, 0o600);
      this.#bytes = Buffer.byteLength(text);
    }
  }

  async #append(line: JournalLine): Promise<void> {
    const bytes = Buffer.from(textOf([line]));
    await appendDurably(this.#path, bytes, 0o600);
    this.#bytes += bytes.length;
  }
}

function textOf(lines: readonly JournalLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}
