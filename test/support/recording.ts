/** Recordings for tests: a head, and a management that takes what it is told to take. */
import type { SendUpload } from "../../src/agent/recording/upload-sender.ts";
import { newId } from "../../src/base/random.ts";
import type { Store } from "../../src/management/db/store.ts";
import { insertRecording, type RecordingRow } from "../../src/management/db/tables/recordings.ts";
import { unpackChunk } from "../../src/recording/chunk.ts";
import type { RecordingEnd, RecordingHead, RecordingUploadAnswer } from "../../src/wire/recording.ts";
import { anId } from "./policy.ts";

export function aRecordingHead(change: Partial<RecordingHead> = {}): RecordingHead {
  return {
    connectionId: anId("connection"),
    sessionId: 0,
    userId: anId("alice"),
    localUser: "deploy",
    kind: "shell",
    mode: "best_effort",
    startedAtSeconds: 1_800_000_000,
    recipients: [],
    ...change,
  };
}

/** Stores one recording in order, as management does. */
export class TakingManagement {
  readonly #seen = new Set<string>();
  readonly #over = new Set<string>();
  readonly chunks: Uint8Array[] = [];
  end: RecordingEnd | undefined;
  uploads = 0;
  /** Chunks of each upload that was stored. */
  readonly sizes: number[] = [];
  /** What is answered instead. "away": nobody answers; "lost": it is stored, and the answer is lost. */
  says: "away" | "lost" | NonNullable<RecordingUploadAnswer["refusal"]>["code"] | null = null;

  /** Chunks that it takes at once; more are refused. */
  countMax = Number.POSITIVE_INFINITY;

  /** The asciicast of what is stored. */
  get text(): string {
    return this.chunks.map((chunk) => Buffer.from(unpackChunk(chunk)).toString()).join("");
  }

  /** Begins anew. What is still on its way of earlier recordings is over, and touches nothing. */
  reset(): void {
    for (const id of this.#seen) this.#over.add(id);
    this.chunks.length = 0;
    this.end = undefined;
    this.says = null;
  }

  readonly send: SendUpload = async ({ recordingId, first, end }, chunks) => {
    this.#seen.add(recordingId);
    if (this.#over.has(recordingId)) return { next: first, refusal: { code: "over", message: "over" } };
    this.uploads += 1;
    const next = this.chunks.length;
    if (this.says === "away") throw new Error("nobody is there");
    if (this.says !== null && this.says !== "lost") {
      return { next, refusal: { code: this.says, message: this.says } };
    }
    if (chunks.length > this.countMax) return { next: 0, refusal: { code: "refused", message: "no upload" } };
    if (first !== next) {
      return { next, refusal: { code: first < next ? "duplicate" : "gap", message: `wanted ${next}` } };
    }
    this.chunks.push(...chunks.map((chunk) => Uint8Array.from(chunk)));
    this.sizes.push(chunks.length);
    this.end = end ?? this.end;
    if (this.says !== "lost") return { next: this.chunks.length };
    this.says = null;
    throw new Error("the answer is lost");
  };
}

/** A recording that is there, without chunks. */
export async function aRecordingOf(
  store: Store,
  accountId: string,
  change: Partial<RecordingRow> = {},
): Promise<RecordingRow> {
  const { startedAtSeconds, ...head } = aRecordingHead({ connectionId: newId(), userId: null });
  const row: RecordingRow = {
    ...head,
    id: newId(),
    accountId,
    peerId: anId("web1"),
    startedAt: startedAtSeconds,
    endedAt: null,
    status: "running",
    why: null,
    nextChunk: 0,
    bytes: 0,
    chain: "A".repeat(43),
    ...change,
  };
  await store.transaction((tx) => insertRecording(tx, row));
  return row;
}
