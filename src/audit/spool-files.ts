/**
 * A spool's files as one log: lines are appended to the last segment and read from any; segments are deleted
 * whole.
 *
 * It knows segments and bytes only; `spool.ts` has the owners of events and the waiting callers. The caller
 * ensures that `append`, `rotate` and `replaceAll` never run concurrently.
 *
 * @module
 */
import { type FileHandle, unlink } from "node:fs/promises";
import { writeFileAtomic } from "../base/files.ts";
import type { Log } from "../base/log.ts";
import type { AgentEvent } from "../wire/audit-event.ts";
import { openSegment, readSegment, type Segment, segmentPath } from "./spool-segment.ts";

/** How long, and how many bytes of, released segments are kept in case the log loses them. */
const KEPT_MS_MAX = 7 * 86_400_000;
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

export interface SpoolFilesOptions {
  readonly directory: string;
  readonly log: Log;
  /** In order of number, at least one. The last is appended to. */
  readonly segments: readonly Segment[];
  /** Called with the path of each segment, before it is deleted. */
  onDelete(path: string): void;
}

/** Opens the last segment for appending. */
export async function openSpoolFiles(options: SpoolFilesOptions): Promise<SpoolFiles> {
  const active = options.segments[options.segments.length - 1] as Segment;
  return new SpoolFiles(options, await openSegment(options.directory, active.path));
}

export class SpoolFiles {
  readonly #options: SpoolFilesOptions;
  readonly #segments: Segment[];
  #file: FileHandle;
  #isBroken = false;
  #isFailing = false;

  constructor(options: SpoolFilesOptions, file: FileHandle) {
    this.#options = options;
    this.#segments = [...options.segments];
    this.#file = file;
  }

  /** The first number that the segments may hold. */
  get firstSeq(): number {
    return (this.#segments[0] as Segment).firstSeq;
  }

  /** Bytes of all segments that are not released. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes, releasedAtMs }) => {
      return releasedAtMs === undefined ? sum + bytes : sum;
    }, 0);
  }

  /** Bytes of the segment that is appended to. */
  get activeBytes(): number {
    return this.#active().bytes;
  }

  /** Whether a failed write could not be undone, so that nothing more may be appended. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Whether the last write failed. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /**
   * Writes whole lines and waits until they are on disk (O_DSYNC). Resolves with their segment's path.
   * Rejects with the system's error on failure; the file is then unchanged, or `isBroken`.
   */
  async append(lines: Buffer): Promise<string> {
    const active = this.#active();
    try {
      await writeWhole(this.#file, lines);
    } catch (cause) {
      await this.#undo(active, cause);
      throw cause;
    }
    this.#isFailing = false;
    active.bytes += lines.length;
    return active.path;
  }

  async #undo(active: Segment, cause: unknown): Promise<void> {
    const { log } = this.#options;
    this.#isFailing = true;
    log.error("the audit spool cannot be written; nothing is permitted", {}, cause);
    try {
      await this.#file.truncate(active.bytes);
      await this.#file.datasync();
    } catch (undoCause) {
      this.#isBroken = true;
      log.error("the audit spool could not be put back; restart the agent", {}, undoCause);
    }
  }

  /**
   * Begins a segment for numbers from `nextSeq` on. On failure, logs it and keeps using the current segment.
   */
  async rotate(nextSeq: number): Promise<void> {
    const { directory, log } = this.#options;
    const segment = { path: segmentPath(directory, nextSeq), firstSeq: nextSeq, bytes: 0 };
    if (segment.path === this.#active().path) return;
    try {
      const file = await openSegment(directory, segment.path);
      const old = this.#file;
      this.#file = file;
      this.#segments.push(segment);
      await old.close();
    } catch (cause) {
      log.warn("no new audit segment could be begun", {}, cause);
    }
  }

  /**
   * Events from `fromSeq` on, at most `max`, of the first segment that holds any. `nextSeq`: the number after
   * the last.
   */
  async read(fromSeq: number, nextSeq: number, max: number): Promise<AgentEvent[]> {
    for (const [index, segment] of this.#segments.entries()) {
      const next = this.#segments[index + 1]?.firstSeq ?? nextSeq;
      if (next <= fromSeq) continue;
      const events = await readSegment(segment, fromSeq, max);
      if (events.length > 0) return events;
    }
    return [];
  }

  /** All events from `fromSeq` on. */
  async readAll(fromSeq: number): Promise<AgentEvent[]> {
    const events: AgentEvent[] = [];
    for (const segment of this.#segments) events.push(...(await readSegment(segment, fromSeq)));
    return events;
  }

  /** Deletes segments without numbers above `seq`, except the last one. */
  async deleteThrough(seq: number): Promise<void> {
    while (this.#segments.length > 1 && (this.#segments[1]?.firstSeq ?? 0) <= seq + 1) {
      await this.delete(this.#segments.splice(0, 1));
    }
  }

  /**
   * Releases segments without numbers above `seq`: they no longer count, and are deleted when old or too
   * many.
   */
  async release(seq: number, nowMs: number): Promise<void> {
    for (const [index, segment] of this.#segments.entries()) {
      const next = this.#segments[index + 1];
      if (next === undefined || next.firstSeq > seq + 1) break;
      if (segment.releasedAtMs === undefined) this.#options.onDelete(segment.path);
      segment.releasedAtMs ??= nowMs;
    }
    let keptBytes = 0;
    const kept = this.#segments.filter(({ releasedAtMs }) => releasedAtMs !== undefined);
    const isOver = (segment: Segment): boolean => {
      keptBytes += segment.bytes;
      return keptBytes > KEPT_BYTES_MAX || nowMs - (segment.releasedAtMs ?? nowMs) > KEPT_MS_MAX;
    };
    // Counted from the newest, so that the oldest exceed the bound.
    const firstKept = kept.toReversed().findIndex(isOver);
    if (firstKept !== -1) await this.delete(this.#segments.splice(0, kept.length - firstKept));
  }

  /** Replaces all segments by one with these lines. Returns the replaced ones, for the caller to delete. */
  async replaceAll(firstSeq: number, lines: string): Promise<{ path: string; replaced: Segment[] }> {
    const { directory } = this.#options;
    const path = segmentPath(directory, firstSeq);
    await writeFileAtomic(path, lines, 0o600);
    const old = this.#file;
    this.#file = await openSegment(directory, path);
    await old.close();
    const segment = { path, firstSeq, bytes: Buffer.byteLength(lines) };
    return { path, replaced: this.#segments.splice(0, this.#segments.length, segment) };
  }

  /** Deletes the files of segments that are no longer in use. A file that cannot be deleted is left. */
  async delete(segments: readonly Segment[]): Promise<void> {
    for (const { path } of segments) {
      this.#options.onDelete(path);
      await unlink(path).catch(() => {});
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #active(): Segment {
    return this.#segments[this.#segments.length - 1] as Segment;
  }
}

async function writeWhole(file: FileHandle, data: Buffer): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await file.write(data, at, data.length - at);
    if (bytesWritten === 0) throw new Error("nothing was written");
    at += bytesWritten;
  }
}
