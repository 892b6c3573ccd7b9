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

/** What is stored of one recording. */
interface Taken {
  readonly chunks: Uint8Array[];
  end: RecordingEnd | undefined;
}

/** Stores each recording in order, as management does, and shows the newest. */
export class TakingManagement {
  readonly #taken = new Map<string, Taken>();
  readonly #over = new Set<string>();
  #newest: Taken = { chunks: [], end: undefined };
  uploads = 0;
  /** Chunks of each upload that was stored. */
  readonly sizes: number[] = [];
  /** What is answered instead. "away": nobody answers; "lost": it is stored, and the answer is lost. */
  says: "away" | "lost" | NonNullable<RecordingUploadAnswer["refusal"]>["code"] | null = null;

  /** Chunks that it takes at once; more are refused. */
  countMax = Number.POSITIVE_INFINITY;

  get chunks(): readonly Uint8Array[] {
    return this.#newest.chunks;
  }

  get end(): RecordingEnd | undefined {
    return this.#newest.end;
  }

  /** The asciicast of what is stored. */
  get text(): string {
    return this.chunks.map((chunk) => Buffer.from(unpackChunk(chunk)).toString()).join("");
  }

  /** Begins anew. What is still on its way of earlier recordings is over, and touches nothing. */
  reset(): void {
    for (const id of this.#taken.keys()) this.#over.add(id);
    this.#newest = { chunks: [], end: undefined };
    this.says = null;
  }

  readonly send: SendUpload = async ({ recordingId, first, end }, chunks) => {
    if (this.#over.has(recordingId)) return { next: first, refusal: { code: "over", message: "over" } };
    const taken = this.#of(recordingId);
    this.uploads += 1;
    const next = taken.chunks.length;
    if (this.says === "away") throw new Error("nobody is there");
    if (this.says !== null && this.says !== "lost") {
      return { next, refusal: { code: this.says, message: this.says } };
    }
    if (chunks.length > this.countMax) return { next: 0, refusal: { code: "refused", message: "no upload" } };
    if (first !== next) {
      return { next, refusal: { code: first < next ? "duplicate" : "gap", message: `wanted ${next}` } };
    }
    taken.chunks.push(...chunks.map((chunk) => Uint8Array.from(chunk)));
    this.sizes.push(chunks.length);
    taken.end = end ?? taken.end;
    if (this.says !== "lost") return { next: taken.chunks.length };
    this.says = null;
    throw new Error("the answer is lost");
  };

  #of(recordingId: string): Taken {
    const known = this.#taken.get(recordingId);
    if (known !== undefined) return known;
    this.#newest = { chunks: [], end: undefined };
    this.#taken.set(recordingId, this.#newest);
    return this.#newest;
  }
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
