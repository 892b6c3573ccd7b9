/**
 * The agent's audit spool: events on disk from the moment they permit something until management has
 * acknowledged them.
 *
 * `record` resolves after fdatasync. Whoever comes while one runs shares the next, so a burst costs a
 * few of them and a lone event waits for nobody. Numbers start at 1 and have no gaps over restarts and
 * `kill -9`; a gap that is found later is itself evidence. Nothing is ever dropped to make room: a full
 * spool says no, and what strangers can cause has a smaller share of it than what admitted people do, of whom
 * each has a share as well.
 *
 * @module
 */
import { type FileHandle, unlink } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { makeDirectory, writeFileAtomic } from "../base/files.ts";
import type { Log } from "../base/log.ts";
import { type AgentEvent, AgentEventBody } from "../wire/audit-event.ts";
import type { AuditSink } from "./sink.ts";
import {
  loadSegments,
  openSegment,
  readSegment,
  type Segment,
  type SpoolDamage,
  segmentPath,
} from "./spool-segment.ts";
import { type Owner, SpoolShares, shareOfKind } from "./spool-shares.ts";

export interface SpoolOptions {
  /** Made with mode 0700 when it is not there. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes on disk beyond which events are refused. Default 256 MiB. */
  readonly bytesMax?: number;
  /** Of those, the share that `auth.failed` may fill. Default one half. */
  readonly unprovenShare?: number;
  /** Bytes after which a new segment begins; acknowledged ones are deleted whole. Default 1 MiB. */
  readonly segmentBytesMax?: number;
}

/** How full a spool is. */
export interface SpoolState {
  /** Events that nobody has acknowledged yet. */
  readonly events: number;
  /** On disk, acknowledged events of an unfinished segment included. */
  readonly bytes: number;
  /** Beyond this nothing is stored, and so nothing permitted. */
  readonly bytesMax: number;
  /** A write failed and could not be undone: nothing is stored any more. */
  readonly isBroken: boolean;
  /** The last write failed and was undone: what it was to permit was refused. */
  readonly isFailing: boolean;
}

export interface Spool extends AuditSink {
  state(): SpoolState;
  /** The first number not yet acknowledged, as far as this process knows; 1 or more. */
  readonly nextUnacknowledged: number;
  /** Stored events from `fromSeq` on, at most `max` and about `bytesMax` bytes (default 1 MiB), at least one. */
  pending(fromSeq: number, max: number, bytesMax?: number): Promise<AgentEvent[]>;
  /**
   * Management has everything up to and including `seq`. A number we have not given out yet means that
   * this spool was lost or set back: what is pending is numbered anew behind it, so that nothing is
   * taken for a repetition, and the loss is recorded.
   */
  acknowledge(seq: number): Promise<void>;
  /** Called after each store, for the uploader. */
  onStored(listener: () => void): () => void;
  /** Stores what waits, then closes. */
  close(): Promise<void>;
}

const BYTES_MAX = 256 * 1024 * 1024;
/** One event must fit into a frame to management with room to spare. */
const EVENT_BYTES_MAX = 1024 * 1024;
/** Events that may wait for one fdatasync; protects memory when the disk hangs. */
const WAITING_MAX = 4096;
/** A fully acknowledged segment is replaced once it has this size; smaller ones are not worth it. */
const ROTATE_WHEN_ACKNOWLEDGED_BYTES = 64 * 1024;
/** Recent events kept in memory, so that an upload seldom reads the disk. */
const RECENT_MAX = 512;

interface Waiting {
  readonly body: AgentEventBody;
  readonly owner: Owner;
  readonly bytes: number;
  readonly json: string;
  readonly atMs: number;
  resolve(): void;
  reject(error: QfError): void;
}

/** Opens the spool, repairs what a crash left, and reports damage as an `agent.state` event. */
export async function openSpool(options: SpoolOptions): Promise<{ spool: Spool; damage: SpoolDamage }> {
  await makeDirectory(options.directory, 0o700);
  const shares = new SpoolShares();
  const { segments, nextSeq, damage } = await loadSegments(options.directory, (path, body, bytes) =>
    shares.found(path, body, bytes),
  );
  if (segments.length === 0) {
    segments.push({ path: segmentPath(options.directory, nextSeq), firstSeq: nextSeq, bytes: 0 });
  }
  const active = segments[segments.length - 1] as Segment;
  const file = await openSegment(options.directory, active.path);
  const spool = new FileSpool(options, { segments, shares, nextSeq, file });
  if (damage.cutBytes > 0 || damage.setAside.length > 0) {
    const named = damage.setAside.map((path) => path.slice(path.lastIndexOf("/") + 1)).join(", ");
    const detail = `audit spool: ${damage.cutBytes} bytes of an unfinished line cut off; set aside: ${named || "none"}`;
    await spool.record({ type: "agent.state", what: "state_damaged", detail: detail.slice(0, 512) });
  }
  return { spool, damage };
}

class FileSpool implements Spool {
  readonly #options: SpoolOptions;
  readonly #segments: Segment[];
  #file: FileHandle;
  #nextSeq: number;
  #acknowledged: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | null = null;
  #recent: AgentEvent[] = [];
  #isClosed = false;
  /** A failed write that could not be undone: nothing is stored any more, and so nothing permitted. */
  #isBroken = false;
  #isFailing = false;
  readonly #shares: SpoolShares;
  readonly #listeners = new Set<() => void>();

  constructor(
    options: SpoolOptions,
    loaded: { segments: Segment[]; shares: SpoolShares; nextSeq: number; file: FileHandle },
  ) {
    const { segments, shares, nextSeq, file } = loaded;
    this.#options = options;
    this.#segments = segments;
    this.#shares = shares;
    this.#nextSeq = nextSeq;
    this.#file = file;
    this.#acknowledged = (segments[0]?.firstSeq ?? nextSeq) - 1;
  }

  get nextUnacknowledged(): number {
    return this.#acknowledged + 1;
  }

  state(): SpoolState {
    return {
      events: this.#nextSeq - this.nextUnacknowledged,
      bytes: this.#usedBytes(),
      bytesMax: this.#options.bytesMax ?? BYTES_MAX,
      isBroken: this.#isBroken,
      isFailing: this.#isFailing,
    };
  }

  #usedBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0) + this.#waitingBytes;
  }

  onStored(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async record(body: AgentEventBody): Promise<void> {
    const parsed = AgentEventBody.safeParse(body);
    if (!parsed.success) {
      throw new QfError("ERR_UNAVAILABLE", "an audit event has a form that can not be stored", {
        cause: parsed.error,
      });
    }
    const json = JSON.stringify(parsed.data);
    const bytes = Buffer.byteLength(json) + 64;
    const owner = this.#shares.ownerOf(parsed.data);
    this.#refuse(parsed.data, owner, bytes);
    this.#waitingBytes += bytes;
    this.#shares.take(owner, bytes);
    const atMs = this.#options.clock.nowMs();
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ body: parsed.data, owner, bytes, json, atMs, resolve, reject });
      this.#start();
    });
  }

  #refuse(body: AgentEventBody, owner: Owner, bytes: number): void {
    const bytesMax = this.#options.bytesMax ?? BYTES_MAX;
    const share = shareOfKind(body, this.#options.unprovenShare ?? 0.5);
    const used = this.#usedBytes();
    if (this.#isClosed || this.#isBroken) throw unavailable("the audit spool is closed");
    if (bytes > EVENT_BYTES_MAX) throw unavailable("an audit event is too large to be stored");
    if (this.#waiting.length >= WAITING_MAX) throw unavailable("the audit spool is too slow");
    if (used + bytes > bytesMax * share) throw unavailable("the audit spool is full");
    // What has begun ends, and there are no more ends than beginnings.
    const isEnd = body.type === "session.end" || body.type === "connection.close";
    if (isEnd || owner === null || this.#shares.hasRoom(owner, bytes, { used, bytesMax })) return;
    if (this.#shares.isNews(owner)) {
      this.#options.log.warn("the share of one person in the audit spool is full", { owner });
    }
    throw new QfError("ERR_TOO_MANY", "the share of one person in the audit spool is full");
  }

  #start(): void {
    if (this.#running === null) void this.#exclusive(() => this.#drain());
  }

  /** Runs `task` while nobody else touches the files, then whatever came in meanwhile. */
  async #exclusive(task: () => Promise<void>): Promise<void> {
    while (this.#running !== null) await this.#running;
    this.#running = task().finally(() => {
      this.#running = null;
      if (this.#waiting.length > 0) this.#start();
    });
    await this.#running;
  }

  async #drain(): Promise<void> {
    // Lets everybody who records in this turn of the event loop share the first fdatasync.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      await this.#store(batch);
    }
  }

  /** One write, one fdatasync. On failure the file is put back as it was and all of `batch` is refused. */
  async #store(batch: readonly Waiting[]): Promise<void> {
    const active = this.#active();
    const events: AgentEvent[] = [];
    const lines: string[] = [];
    for (const { atMs, body, json } of batch) {
      const seq = this.#nextSeq + events.length;
      events.push({ seq, atMs, body });
      lines.push(`{"seq":${seq},"atMs":${atMs},"body":${json}}\n`);
    }
    const data = Buffer.from(lines.join(""));
    try {
      await writeWhole(this.#file, data);
      await this.#file.datasync();
    } catch (cause) {
      await this.#undo(active, cause);
      const failure = unavailable("the audit spool can not be written", cause);
      for (const one of batch) {
        this.#shares.give(one.owner, one.bytes);
        one.reject(failure);
      }
      return;
    }
    this.#isFailing = false;
    active.bytes += data.length;
    this.#nextSeq += events.length;
    this.#recent = [...this.#recent, ...events].slice(-RECENT_MAX);
    for (const one of batch) {
      this.#shares.stored(active.path, one.owner, one.body, one.bytes);
      one.resolve();
    }
    for (const listener of this.#listeners) listener();
    if (active.bytes >= (this.#options.segmentBytesMax ?? 1024 * 1024)) await this.#rotate();
  }

  async #undo(active: Segment, cause: unknown): Promise<void> {
    this.#isFailing = true;
    this.#options.log.error("the audit spool can not be written; nothing is permitted", {}, cause);
    try {
      await this.#file.truncate(active.bytes);
      await this.#file.datasync();
    } catch (undoCause) {
      this.#isBroken = true;
      this.#options.log.error("the audit spool could not be put back; restart the agent", {}, undoCause);
    }
  }

  #active(): Segment {
    return this.#segments[this.#segments.length - 1] as Segment;
  }

  /** A failure here leaves the old segment active, which is only longer than it should be. */
  async #rotate(): Promise<void> {
    const { directory, log } = this.#options;
    const segment = { path: segmentPath(directory, this.#nextSeq), firstSeq: this.#nextSeq, bytes: 0 };
    if (segment.path === this.#active().path) return;
    try {
      const file = await openSegment(directory, segment.path);
      await this.#file.close();
      this.#file = file;
      this.#segments.push(segment);
    } catch (cause) {
      log.warn("no new audit segment could be begun", {}, cause);
    }
  }

  async pending(fromSeq: number, max: number, bytesMax = 1024 * 1024): Promise<AgentEvent[]> {
    const from = Math.max(fromSeq, this.nextUnacknowledged);
    const oldest = this.#recent[0]?.seq;
    if (from >= this.#nextSeq) return [];
    if (oldest !== undefined && oldest <= from) {
      return cut(
        this.#recent.filter((event) => event.seq >= from),
        max,
        bytesMax,
      );
    }
    for (const [index, segment] of this.#segments.entries()) {
      const next = this.#segments[index + 1]?.firstSeq ?? this.#nextSeq;
      if (next <= from) continue;
      const events = await readSegment(segment, from);
      if (events.length > 0) return cut(events, max, bytesMax);
    }
    return [];
  }

  async acknowledge(seq: number): Promise<void> {
    if (seq >= this.#nextSeq) return await this.#renumber(seq + 1);
    if (seq <= this.#acknowledged) return;
    this.#acknowledged = seq;
    const isAll = seq === this.#nextSeq - 1;
    const isLarge = this.#active().bytes >= ROTATE_WHEN_ACKNOWLEDGED_BYTES;
    if (isAll && isLarge && this.#running === null) await this.#exclusive(() => this.#rotate());
    while (this.#segments.length > 1 && (this.#segments[1]?.firstSeq ?? 0) <= this.#acknowledged + 1) {
      const [done] = this.#segments.splice(0, 1);
      if (done === undefined) continue;
      this.#shares.dropped(done.path);
      await unlink(done.path).catch(() => {});
    }
  }

  async #renumber(firstSeq: number): Promise<void> {
    const { directory, clock, log } = this.#options;
    log.error("management knows more audit events of this machine than its spool", { firstSeq });
    await this.#exclusive(async () => {
      if (firstSeq <= this.#nextSeq) return;
      const events: AgentEvent[] = [];
      for (const segment of this.#segments)
        events.push(...(await readSegment(segment, this.nextUnacknowledged)));
      const detail = `audit spool: begun anew behind ${firstSeq - 1}, which management already has`;
      const body = { type: "agent.state", what: "state_damaged", detail } as const;
      events.push({ seq: 0, atMs: clock.nowMs(), body });
      const lines = events.map((event, index) => `${JSON.stringify({ ...event, seq: firstSeq + index })}\n`);
      const path = segmentPath(directory, firstSeq);
      await writeFileAtomic(path, lines.join(""), 0o600);
      await this.#file.close();
      this.#file = await openSegment(directory, path);
      const old = this.#segments.splice(0, this.#segments.length);
      this.#segments.push({ path, firstSeq, bytes: Buffer.byteLength(lines.join("")) });
      this.#nextSeq = firstSeq + events.length;
      this.#acknowledged = firstSeq - 1;
      this.#recent = [];
      for (const segment of old) {
        this.#shares.dropped(segment.path);
        await unlink(segment.path).catch(() => {});
      }
      for (const { body } of events) this.#shares.found(path, body, Buffer.byteLength(JSON.stringify(body)));
    });
    for (const listener of this.#listeners) listener();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#running !== null) await this.#running;
    await this.#file.close();
  }
}

function cut(events: AgentEvent[], max: number, bytesMax: number): AgentEvent[] {
  let bytes = 0;
  const end = events.findIndex((event, index) => {
    bytes += Buffer.byteLength(JSON.stringify(event));
    return index >= max || (index > 0 && bytes > bytesMax);
  });
  return end === -1 ? events : events.slice(0, end);
}

async function writeWhole(file: FileHandle, data: Buffer): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await file.write(data, at, data.length - at);
    if (bytesWritten === 0) throw new Error("nothing was written");
    at += bytesWritten;
  }
}

function unavailable(message: string, cause?: unknown): QfError {
  return new QfError("ERR_UNAVAILABLE", message, {
    hint: "look at the disk of the machine and at its link to management",
    cause,
  });
}
