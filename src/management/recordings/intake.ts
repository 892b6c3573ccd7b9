/**
 * Intake of machines' recording uploads: only for sessions that the machine has reported, each chunk once, in
 * order, and within the machine's daily share.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { verifyEd25519 } from "../../base/ed25519.ts";
import { isQfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { newId, sha256 } from "../../base/random.ts";
import { digestOfChunk, digestText, emptyChain, extendChain } from "../../recording/chunk.ts";
import { RecordingUpload, type RecordingUploadAnswer } from "../../wire/recording.ts";
import { signedBytes } from "../../wire/signed-fields.ts";
import { Ed25519Signature } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import { findPeerById, type PeerRow } from "../db/tables/peers.ts";
import {
  addToRecording,
  findRecording,
  insertRecording,
  insertRecordingPart,
  isReportedSession,
  type RecordingRow,
} from "../db/tables/recordings.ts";
import { listMoves } from "../log/moves.ts";
import { AuditShare } from "../sync/audit-share.ts";
import type { RecordingStore } from "./store.ts";

/** Bytes of recordings accepted from one machine per day. */
export const RECORDING_SHARE_BYTES_DEFAULT = 10_000_000_000;

type Refusal = NonNullable<RecordingUploadAnswer["refusal"]>["code"];

/** One sentence each. `at` is the number of the first uploaded chunk. */
const SENTENCES: Readonly<Record<Refusal, (at: number, next: number) => string>> = {
  duplicate: (at, next) => `chunk ${at} of this recording is stored already; chunk ${next} is next`,
  gap: (at, next) => `chunk ${at} of this recording came before chunk ${next}`,
  over: () => "this recording is over; nothing is added to it",
  unreported: () => "the machine has not reported the session that this is a recording of",
  full: () => "the machine has used up its share of recordings for today",
  unavailable: () => "the store of recordings cannot be used now",
  refused: () => "this is no recording of a machine of the account",
};

interface Upload {
  readonly head: RecordingUpload;
  readonly chunks: readonly Uint8Array[];
}

export interface IntakeOptions {
  readonly store: RecordingStore;
  /** A machine's daily share in bytes. 0: unlimited. */
  readonly shareBytes: number;
  /** Called when chunks were added to a recording. */
  onAdded(recordingId: string): void;
}

export class RecordingIntake {
  readonly #ctx: Pick<ManagementContext, "clock" | "log" | "store" | "origin">;
  readonly #options: IntakeOptions;
  readonly #share: AuditShare;

  constructor(ctx: Pick<ManagementContext, "clock" | "log" | "store" | "origin">, options: IntakeOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#share = new AuditShare(ctx.clock, options.shareBytes);
  }

  /** Never rejects. */
  async take(body: Uint8Array, signature: string): Promise<RecordingUploadAnswer> {
    const upload = uploadOf(body);
    if (upload === null) return refusal("refused", 0, 0);
    try {
      const { peer, row } = await this.#known(upload.head);
      const isProven = peer !== undefined && (await this.#isSigned(peer, body, signature));
      return isProven ? await this.#take(peer, row, upload) : refusal("refused", upload.head.first, 0);
    } catch (cause) {
      if (!isQfError(cause, "ERR_UNAVAILABLE")) {
        this.#ctx.log.error(
          "a recording could not be stored",
          { recordingId: upload.head.recordingId },
          cause,
        );
      } else this.#ctx.log.warn("the store of recordings cannot be used", {}, cause);
      return refusal("unavailable", upload.head.first, upload.head.first);
    }
  }

  /** The peer that the upload names, and the recording so far. */
  #known({ peerId, recordingId }: RecordingUpload) {
    return this.#ctx.store.read(async (tx) => ({
      peer: await findPeerById(tx, peerId),
      row: await findRecording(tx, recordingId),
    }));
  }

  /** Whether the machine's device key signed it, for management's address or a recent former one. */
  async #isSigned(peer: PeerRow, body: Uint8Array, signature: string): Promise<boolean> {
    if (!Ed25519Signature.safeParse(signature).success) return false;
    const fields = { peer: peer.id, digest: sha256(body) };
    const isSignedFor = (origin: string): boolean => {
      const bytes = signedBytes("recording", { accountId: peer.accountId, origin }, fields);
      return verifyEd25519(peer.deviceKey, bytes, signature);
    };
    if (isSignedFor(this.#ctx.origin)) return true;
    return (await this.#ctx.store.read(listMoves)).some(({ from }) => isSignedFor(from));
  }

  async #take(
    peer: PeerRow,
    known: RecordingRow | undefined,
    { head, chunks }: Upload,
  ): Promise<RecordingUploadAnswer> {
    const { first } = head;
    const row = known ?? (await this.#begin(peer, head));
    if (typeof row === "string") return refusal(row, first, 0);
    if (row.peerId !== peer.id) return refusal("refused", first, 0);
    const { nextChunk } = row;
    if (row.status !== "running") return refusal("over", first, nextChunk);
    if (first < nextChunk) return refusal("duplicate", first, nextChunk);
    if (first > nextChunk) return refusal("gap", first, nextChunk);
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    if (this.#share.take(peer.id, bytes) !== "taken") return refusal("full", first, nextChunk);
    let isStored = false;
    try {
      const answer = await this.#add(row, { head, chunks });
      isStored = answer.refusal === undefined;
      return answer;
    } finally {
      if (!isStored) this.#share.giveBack(peer.id, bytes);
    }
  }

  /** The row of a new recording, which `#add` stores, or why it may not begin. */
  async #begin(
    peer: PeerRow,
    { recordingId, first, head }: RecordingUpload,
  ): Promise<RecordingRow | Refusal> {
    if (first > 0) return "gap";
    if (head === undefined) return "refused";
    const isReported = await this.#ctx.store.read((tx) => isReportedSession(tx, peer.id, head));
    if (!isReported) return "unreported";
    const { startedAtSeconds, ...rest } = head;
    const row: RecordingRow = {
      ...rest,
      id: recordingId,
      accountId: peer.accountId,
      peerId: peer.id,
      startedAt: Math.min(startedAtSeconds, nowSeconds(this.#ctx.clock)),
      endedAt: null,
      status: "running",
      why: null,
      nextChunk: 0,
      bytes: 0,
      chain: digestText(emptyChain()),
    };
    return this.#ctx.store.transaction(async (tx) => {
      // Another upload, even another machine's, may have begun it meanwhile.
      const begun = await findRecording(tx, recordingId);
      if (begun === undefined) await insertRecording(tx, row);
      return begun ?? row;
    });
  }

  async #add(row: RecordingRow, { head, chunks }: Upload): Promise<RecordingUploadAnswer> {
    const { first, end, sizes } = head;
    const digests = chunks.map(digestOfChunk);
    const chain = digests.reduce(extendChain, Buffer.from(row.chain, "base64url") as Uint8Array);
    // A new name each time, so that two uploads of the same chunk never write the same object.
    const object = `${row.accountId}/${row.id}/${String(first).padStart(8, "0")}-${newId()}`;
    if (chunks.length > 0) await this.#options.store.put(object, Buffer.concat(chunks));
    const nextChunk = first + chunks.length;
    const isAdded = await this.#ctx.store.transaction(async (tx) => {
      const change: Parameters<typeof addToRecording>[2] = {
        nextChunk,
        bytes: row.bytes + chunks.reduce((sum, { length }) => sum + length, 0),
        chain: digestText(chain),
        status: end?.status ?? "running",
        why: end?.why ?? null,
        endedAt: end === undefined ? null : nowSeconds(this.#ctx.clock),
      };
      if (!(await addToRecording(tx, { id: row.id, first }, change))) return false;
      const texts = digests.map(digestText);
      if (chunks.length > 0)
        await insertRecordingPart(tx, { recordingId: row.id, first, object, sizes, digests: texts });
      return true;
    });
    if (!isAdded) {
      await this.#options.store.remove(object).catch(() => {});
      return this.#overtaken(row.id, first);
    }
    this.#options.onAdded(row.id);
    return { next: nextChunk };
  }

  /** The refusal after another upload was first or the recording was deleted, by its current state. */
  async #overtaken(recordingId: string, first: number): Promise<RecordingUploadAnswer> {
    const row = await this.#ctx.store.read((tx) => findRecording(tx, recordingId));
    if (row === undefined) return refusal("gap", first, 0);
    return refusal(row.status === "running" ? "duplicate" : "over", first, row.nextChunk);
  }
}

function refusal(code: Refusal, first: number, next: number): RecordingUploadAnswer {
  return { next, refusal: { code, message: SENTENCES[code](first, next) } };
}

/** Parses an upload. Null: it is none. */
function uploadOf(body: Uint8Array): Upload | null {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length < 4) return null;
  const start = 4 + bytes.readUInt32BE(0);
  if (start > bytes.length) return null;
  const head = RecordingUpload.safeParse(parseJson(bytes.toString("utf8", 4, start)));
  if (!head.success) return null;
  const chunks: Uint8Array[] = [];
  let at = start;
  for (const size of head.data.sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  const isWhole = at === bytes.length && (chunks.length > 0 || head.data.end !== undefined);
  return isWhole ? { head: head.data, chunks } : null;
}
