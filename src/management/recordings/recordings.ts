/**
 * Management's recordings: taken in from machines, read page by page, followed while they run, and deleted
 * after the account's retention.
 *
 * `follow(recordingId, from, signal)` yields each page of chunks as it arrives.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { digestOfChunk, digestText, unpackChunk } from "../../recording/chunk.ts";
import { RECORDING_CHUNKS_MAX, type RecordingPage } from "../../wire/recording.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { Recordings } from "../contracts/recordings.ts";
import { filled } from "../contracts/settings.ts";
import { listAccounts } from "../db/tables/accounts.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import {
  deleteRecording,
  findRecording,
  listRecordingParts,
  listRecordingsBefore,
  listRecordingsOfNoAccount,
  type RecordingPartRow,
  type RecordingRow,
} from "../db/tables/recordings.ts";
import { daysKept } from "../db/tables/shortened-retention.ts";
import { RECORDING_SHARE_BYTES_DEFAULT, RecordingIntake } from "./intake.ts";
import type { RecordingStore } from "./store.ts";

/** How soon a follower sees chunks that another process took in. */
const ELSEWHERE_MS = 1_000;
const SWEEP_MS = 600_000;
const DAY_SECONDS = 86_400;
/** Recordings deleted in one sweep, and parts of one deleted or read at a time. */
const DELETED_MAX = 1_000;
const PARTS_MAX = 256;
/**
 * Parts of one page, which are read together, and the stored bytes or unpacked characters that fill it. Parts
 * before the requested chunk may have one chunk each.
 */
const PAGE_PARTS_MAX = 32;
const PAGE_BYTES = 512 * 1024;
const PAGE_DATA_CHARS = 1_000_000;

type Context = Pick<ManagementContext, "clock" | "log" | "store" | "origin">;

export interface RunningRecordings extends Recordings {
  /** Deletes recordings older than their account's retention, and those of deleted accounts. */
  sweep(): Promise<void>;
  close(): void;
}

export function createRecordings(
  ctx: Context,
  options: { readonly store: RecordingStore; readonly shareBytes?: number },
): RunningRecordings {
  return new StoredRecordings(ctx, options);
}

class StoredRecordings implements RunningRecordings {
  readonly #ctx: Context;
  readonly #store: RecordingStore;
  readonly #intake: RecordingIntake;
  readonly #followers = new Map<string, Set<() => void>>();
  readonly #sweeping: ReturnType<typeof setInterval>;

  constructor(
    ctx: Context,
    {
      store,
      shareBytes = RECORDING_SHARE_BYTES_DEFAULT,
    }: { readonly store: RecordingStore; readonly shareBytes?: number },
  ) {
    this.#ctx = ctx;
    this.#store = store;
    this.#intake = new RecordingIntake(ctx, { store, shareBytes, onAdded: (id) => this.#tell(id) });
    this.#sweeping = setInterval(() => {
      this.sweep().catch((cause: unknown) => ctx.log.warn("old recordings not deleted", {}, cause));
    }, SWEEP_MS).unref();
  }

  take(...upload: Parameters<Recordings["take"]>): ReturnType<Recordings["take"]> {
    return this.#intake.take(...upload);
  }

  async page(recordingId: string, from: number): Promise<RecordingPage> {
    const { row, parts } = await this.#ctx.store.read(async (tx) => ({
      row: await findRecording(tx, recordingId),
      // The part that holds `from` begins at most this far before it.
      parts: await listRecordingParts(tx, recordingId, {
        from: Math.max(0, from - RECORDING_CHUNKS_MAX + 1),
        countMax: RECORDING_CHUNKS_MAX + PAGE_PARTS_MAX,
      }),
    }));
    if (row === undefined) throw new QfError("ERR_NOT_FOUND", "recording not found");
    const isEncrypted = row.recipients.length > 0;
    const wanted = parts.filter(({ first, sizes }) => first + sizes.length > from);
    const shown = pageOf(wanted.slice(0, PAGE_PARTS_MAX));
    const read = await Promise.all(shown.map(({ object }) => this.#store.get(object)));
    const chunks = firstOf(
      shown.flatMap((part, i) => chunksOf(part, read[i] ?? NOTHING, from)),
      isEncrypted,
    );
    const next = (chunks.at(-1)?.number ?? from - 1) + 1;
    // There is more, or it arrived after the row was read.
    const status = next < row.nextChunk ? "running" : row.status;
    return { chunks, next, status, encrypted: isEncrypted };
  }

  async *follow(recordingId: string, from: number, signal: AbortSignal): AsyncGenerator<RecordingPage> {
    for (let at = from; !signal.aborted; ) {
      const news = this.#news(recordingId, signal);
      try {
        const page = await this.page(recordingId, at);
        at = page.next;
        if (page.chunks.length > 0 || page.status !== "running") yield page;
        if (page.status !== "running") return;
        if (page.chunks.length === 0) await news.heard;
      } finally {
        news.stop();
      }
    }
  }

  async remove({ id }: Pick<RecordingRow, "id">): Promise<void> {
    const { store } = this.#ctx;
    for (let from = 0; ; ) {
      const parts = await store.read((tx) => listRecordingParts(tx, id, { from, countMax: PARTS_MAX }));
      for (const { object } of parts) await this.#store.remove(object);
      if (parts.length < PARTS_MAX) break;
      from = (parts.at(-1)?.first ?? from) + 1;
    }
    await store.transaction((tx) => deleteRecording(tx, id));
    this.#tell(id);
  }

  async sweep(): Promise<void> {
    const { store, clock } = this.#ctx;
    for (const { id: accountId, settings } of await store.read(listAccounts)) {
      const field = "recording_retention_days";
      const days = await store.read((tx) => daysKept(tx, { accountId, field }, filled(settings)[field]));
      const before = nowSeconds(clock) - days * DAY_SECONDS;
      const old = await store.read((tx) => listRecordingsBefore(tx, accountId, before, DELETED_MAX));
      const count = await this.#removeAll(old);
      if (count === 0) continue;
      const meta = { count: String(count), days: String(days) };
      const events = [{ activity: "recording.prune" as const, targetId: accountId, meta }];
      await store.change({ accountId, initiator: systemInitiator, events }, async () => {});
    }
    await this.#removeAll(await store.read((tx) => listRecordingsOfNoAccount(tx, DELETED_MAX)));
  }

  /** Returns how many were deleted. A failure does not stop the others; the next sweep retries it. */
  async #removeAll(rows: readonly RecordingRow[]): Promise<number> {
    const { log } = this.#ctx;
    let count = 0;
    for (const row of rows) {
      const isGone = await this.remove(row).then(
        () => true,
        (cause: unknown) => log.warn("an old recording is not deleted", { recordingId: row.id }, cause),
      );
      if (isGone === true) count += 1;
    }
    return count;
  }

  close(): void {
    clearInterval(this.#sweeping);
  }

  /** `heard` resolves with the next chunk, after a second, or when `signal` is aborted. */
  #news(recordingId: string, signal: AbortSignal): { heard: Promise<void>; stop: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const listeners = this.#followers.get(recordingId) ?? new Set();
    this.#followers.set(recordingId, listeners.add(resolve));
    const timer = setTimeout(resolve, ELSEWHERE_MS);
    const onAbort = (): void => resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    const stop = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      listeners.delete(resolve);
      if (listeners.size === 0) this.#followers.delete(recordingId);
    };
    return { heard: promise, stop };
  }

  #tell(recordingId: string): void {
    for (const heard of this.#followers.get(recordingId) ?? []) heard();
  }
}

/** The first of `parts`, as many as fit in one page. */
function pageOf(parts: readonly RecordingPartRow[]): RecordingPartRow[] {
  const shown: RecordingPartRow[] = [];
  let bytes = 0;
  for (const part of parts) {
    if (bytes >= PAGE_BYTES) break;
    shown.push(part);
    bytes += part.sizes.reduce((sum, size) => sum + size, 0);
  }
  return shown;
}

const NOTHING = new Uint8Array(0);

interface StoredChunk {
  readonly number: number;
  readonly sha256: string;
  readonly packed: Uint8Array;
}

/** The chunks of a part from `from` on. */
function chunksOf(
  { first, sizes, digests }: RecordingPartRow,
  bytes: Uint8Array,
  from: number,
): StoredChunk[] {
  let at = 0;
  return sizes.flatMap((size, i) => {
    const packed = bytes.subarray(at, at + size);
    at += size;
    return first + i < from ? [] : [{ number: first + i, sha256: digests[i] ?? "", packed }];
  });
}

/** As many chunks as fit in one page. Unpacked one by one, since few bytes may unpack to many. */
function firstOf(stored: readonly StoredChunk[], isEncrypted: boolean): RecordingPage["chunks"] {
  const chunks: RecordingPage["chunks"] = [];
  let chars = 0;
  for (const { number, sha256, packed } of stored) {
    if (chars >= PAGE_DATA_CHARS) break;
    if (digestText(digestOfChunk(packed)) !== sha256) {
      throw new QfError("ERR_STATE_DAMAGED", `chunk ${number} of the recording is not what was stored`);
    }
    const data = Buffer.from(isEncrypted ? packed : unpackChunk(packed)).toString("base64");
    chunks.push({ number, sha256, data });
    chars += data.length;
  }
  return chunks;
}
