/**
 * The agent's audit spool: holds each event on disk from before the action it permits begins until management
 * has acknowledged it.
 *
 * `record` resolves once the event is on disk. Events that arrive during a write share the next one, so a
 * burst costs few writes and a lone event does not wait. Ends of forwards and connections wait briefly to
 * share a write. Numbers start at 1 without gaps, even across restarts and `kill -9`, so a gap found later is
 * evidence. A full spool refuses events and drops none. Strangers, and each person, can fill only a share of
 * it (`spool-shares.ts`).
 *
 * `spool-files.ts` handles the files. Read `record`, then `#store`.
 *
 * @module
 */
import { QfError } from "../base/errors.ts";
import { makeDirectory } from "../base/files.ts";
import { type AgentEvent, AgentEventBody } from "../wire/audit-event.ts";
import type { Spool, SpoolOptions, SpoolState } from "./spool-contract.ts";
import { openSpoolFiles, type SpoolFiles } from "./spool-files.ts";
import { SpoolQueue, type Waiting } from "./spool-queue.ts";
import { firstOf, loadSegments, type SpoolDamage, segmentPath } from "./spool-segment.ts";
import { isEnd, type Owner, SpoolShares, shareOfKind } from "./spool-shares.ts";

const BYTES_MAX = 256 * 1024 * 1024;
/** Largest event accepted; a message to management has room for it. */
const EVENT_BYTES_MAX = 1024 * 1024;
/** Events that may wait for one write. Protects memory when the disk hangs. */
const WAITING_MAX = 4096;
const SEGMENT_BYTES_MAX = 1024 * 1024;
/** From this size on, the last segment is replaced once fully acknowledged. */
const ROTATE_WHEN_ACKNOWLEDGED_BYTES = 64 * 1024;
/** Latest events kept in memory, up to twice as many, so that an upload seldom reads the disk. */
const RECENT_MAX = 2048;

/**
 * Opens the spool in `directory` and repairs crash damage, which is returned and recorded as an `agent.state`
 * event. Rejects with the system's error when the folder is unusable.
 */
export async function openSpool(options: SpoolOptions): Promise<{ spool: Spool; damage: SpoolDamage }> {
  await makeDirectory(options.directory, 0o700);
  const shares = new SpoolShares();
  const { segments, nextSeq, damage } = await loadSegments(options.directory, (path, body, bytes) =>
    shares.found(path, body, bytes),
  );
  if (segments.length === 0) {
    segments.push({ path: segmentPath(options.directory, nextSeq), firstSeq: nextSeq, bytes: 0 });
  }
  const files = await openSpoolFiles({
    directory: options.directory,
    log: options.log,
    segments,
    onDelete: (path) => shares.dropped(path),
  });
  const spool = new FileSpool(options, { files, shares, nextSeq });
  await spool.release(options.releasedThrough ?? 0);
  if (damage.cutBytes > 0 || damage.setAside.length > 0) {
    const named = damage.setAside.map((path) => path.slice(path.lastIndexOf("/") + 1)).join(", ");
    const cut = `${damage.cutBytes} bytes of an unfinished line cut off`;
    const detail = `audit spool: ${cut}; set aside: ${named || "none"}`;
    try {
      await spool.record({ type: "agent.state", what: "state_damaged", detail: detail.slice(0, 512) });
    } catch (cause) {
      await spool.close();
      throw cause;
    }
  }
  return { spool, damage };
}

class FileSpool implements Spool {
  readonly #options: SpoolOptions;
  readonly #files: SpoolFiles;
  readonly #shares: SpoolShares;
  /** The number of the next event. */
  #nextSeq: number;
  /** Management has all events up to this number. */
  #acknowledged: number;
  #isHeld = false;
  readonly #queue = new SpoolQueue(() => this.#start());
  #running: Promise<void> | null = null;
  #recent: AgentEvent[] = [];
  #isClosed = false;
  readonly #listeners = new Set<() => void>();

  constructor(options: SpoolOptions, loaded: { files: SpoolFiles; shares: SpoolShares; nextSeq: number }) {
    this.#options = options;
    this.#files = loaded.files;
    this.#shares = loaded.shares;
    this.#nextSeq = loaded.nextSeq;
    this.#acknowledged = Math.max(loaded.files.firstSeq - 1, options.releasedThrough ?? 0);
    // Numbers are never reused, even if the files are gone.
    this.#acknowledged = Math.min(this.#acknowledged, loaded.nextSeq - 1);
  }

  get firstStored(): number {
    return this.#files.firstSeq;
  }

  get nextUnacknowledged(): number {
    return this.#acknowledged + 1;
  }

  state(): SpoolState {
    return {
      events: this.#nextSeq - this.nextUnacknowledged,
      bytes: this.#usedBytes(),
      bytesMax: this.#options.bytesMax ?? BYTES_MAX,
      isBroken: this.#files.isBroken,
      isFailing: this.#files.isFailing,
    };
  }

  #usedBytes(): number {
    return this.#files.bytes + this.#queue.bytes;
  }

  onStored(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async record(body: AgentEventBody): Promise<void> {
    const parsed = AgentEventBody.safeParse(body);
    if (!parsed.success) {
      throw new QfError("ERR_UNAVAILABLE", "an audit event has a form that cannot be stored", {
        cause: parsed.error,
      });
    }
    const json = JSON.stringify(parsed.data);
    const bytes = Buffer.byteLength(json) + 64;
    const owner = this.#shares.ownerOf(parsed.data);
    this.#refuse(parsed.data, owner, bytes);
    this.#shares.take(owner, bytes);
    const atMs = this.#options.clock.nowMs();
    await new Promise<void>((resolve, reject) => {
      this.#queue.add({ body: parsed.data, owner, bytes, json, atMs, resolve, reject });
    });
  }

  /**
   * Throws when the event cannot be accepted: ERR_UNAVAILABLE, or ERR_TOO_MANY if only its owner's share is
   * full.
   */
  #refuse(body: AgentEventBody, owner: Owner, bytes: number): void {
    const bytesMax = this.#options.bytesMax ?? BYTES_MAX;
    const share = shareOfKind(body, this.#options.unprovenShare ?? 0.5);
    const used = this.#usedBytes();
    if (this.#isClosed || this.#files.isBroken) throw unavailable("the audit spool is closed");
    if (bytes > EVENT_BYTES_MAX) throw unavailable("an audit event is too large to be stored");
    if (this.#queue.length >= WAITING_MAX) throw unavailable("the audit spool is too slow");
    if (used + bytes > bytesMax * share) throw unavailable("the audit spool is full");
    // Ends are always accepted: there are no more of them than beginnings.
    if (isEnd(body) || owner === null || this.#shares.hasRoom(owner, bytes, { used, bytesMax })) return;
    if (this.#shares.isNews(owner)) {
      this.#options.log.warn("the share of one person in the audit spool is full", { owner });
    }
    throw new QfError("ERR_TOO_MANY", "the share of one person in the audit spool is full");
  }

  #start(): void {
    if (this.#running === null) void this.#exclusive(() => this.#drain());
  }

  /** Runs `task` with exclusive access to the files, then stores events that arrived meanwhile. */
  async #exclusive(task: () => Promise<void>): Promise<void> {
    while (this.#running !== null) await this.#running;
    this.#running = task().finally(() => {
      this.#running = null;
      if (this.#queue.isDue) this.#start();
    });
    await this.#running;
  }

  async #drain(): Promise<void> {
    // Let all events of this event loop turn share the first write.
    await Promise.resolve();
    while (this.#queue.isDue) await this.#store(this.#queue.take());
  }

  /** Writes the batch durably in one write. On failure the whole batch is refused. */
  async #store(batch: readonly Waiting[]): Promise<void> {
    const events: AgentEvent[] = [];
    const lines: string[] = [];
    for (const { atMs, body, json } of batch) {
      const seq = this.#nextSeq + events.length;
      events.push({ seq, atMs, body });
      lines.push(`{"seq":${seq},"atMs":${atMs},"body":${json}}\n`);
    }
    let path: string;
    try {
      path = await this.#files.append(Buffer.from(lines.join("")));
    } catch (cause) {
      const failure = unavailable("the audit spool cannot be written", cause);
      for (const one of batch) {
        this.#shares.give(one.owner, one.bytes);
        one.reject(failure);
      }
      return;
    }
    this.#nextSeq += events.length;
    this.#keepRecent(events);
    for (const one of batch) {
      this.#shares.stored(path, one.owner, one.body, one.bytes);
      one.resolve();
    }
    for (const listener of this.#listeners) listener();
    const isFull = this.#files.activeBytes >= (this.#options.segmentBytesMax ?? SEGMENT_BYTES_MAX);
    if (isFull) await this.#files.rotate(this.#nextSeq);
  }

  /** Drops the oldest only once there are twice as many as needed, not at every write. */
  #keepRecent(events: readonly AgentEvent[]): void {
    this.#recent.push(...events);
    if (this.#recent.length > 2 * RECENT_MAX) this.#recent.splice(0, this.#recent.length - RECENT_MAX);
  }

  async pending(fromSeq: number, max: number, bytesMax = 1024 * 1024): Promise<AgentEvent[]> {
    const from = Math.max(fromSeq, this.nextUnacknowledged);
    const oldest = this.#recent[0]?.seq;
    if (from >= this.#nextSeq) return [];
    if (oldest !== undefined && oldest <= from) {
      // Their numbers have no gaps.
      const at = from - oldest;
      return firstOf(this.#recent.slice(at, at + max), max, bytesMax);
    }
    return firstOf(await this.#files.read(from, this.#nextSeq, max), max, bytesMax);
  }

  async acknowledge(seq: number): Promise<void> {
    if (seq >= this.#nextSeq) return await this.#renumber(seq + 1);
    if (seq <= this.#acknowledged) return;
    this.#acknowledged = seq;
    const isAll = seq === this.#nextSeq - 1;
    const isLarge = this.#files.activeBytes >= ROTATE_WHEN_ACKNOWLEDGED_BYTES;
    if (isAll && isLarge && this.#running === null) {
      await this.#exclusive(() => this.#files.rotate(this.#nextSeq));
    }
    if (!this.#isHeld) await this.#files.deleteThrough(this.#acknowledged);
  }

  hold(): void {
    this.#isHeld = true;
  }

  async release(seq: number): Promise<void> {
    await this.#files.release(seq, this.#options.clock.nowMs());
  }

  rewind(seq: number): void {
    if (seq <= this.#acknowledged) this.#acknowledged = Math.max(seq, this.#files.firstSeq) - 1;
  }

  async stored(fromSeq: number, max: number): Promise<AgentEvent[]> {
    if (fromSeq >= this.#nextSeq) return [];
    return firstOf(await this.#files.read(fromSeq, this.#nextSeq, max), max, 1024 * 1024);
  }

  async #renumber(firstSeq: number): Promise<void> {
    const { clock, log } = this.#options;
    log.error("management knows more audit events of this machine than its spool", { firstSeq });
    await this.#exclusive(async () => {
      if (firstSeq <= this.#nextSeq) return;
      const events = await this.#files.readAll(this.nextUnacknowledged);
      const detail = `audit spool: begun anew behind ${firstSeq - 1}, which management already has`;
      const body = { type: "agent.state", what: "state_damaged", detail } as const;
      events.push({ seq: 0, atMs: clock.nowMs(), body });
      const lines = events.map((event, index) => `${JSON.stringify({ ...event, seq: firstSeq + index })}\n`);
      const { path, replaced } = await this.#files.replaceAll(firstSeq, lines.join(""));
      this.#nextSeq = firstSeq + events.length;
      this.#acknowledged = firstSeq - 1;
      this.#recent = [];
      await this.#files.delete(replaced);
      for (const { body } of events) this.#shares.found(path, body, Buffer.byteLength(JSON.stringify(body)));
    });
    for (const listener of this.#listeners) listener();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue.hurry();
    while (this.#running !== null) await this.#running;
    await this.#files.close();
  }
}

function unavailable(message: string, cause?: unknown): QfError {
  return new QfError("ERR_UNAVAILABLE", message, {
    hint: "look at the disk of the machine and at its link to management",
    cause,
  });
}
