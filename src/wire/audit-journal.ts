/**
 * `<state>/audit/batches.jsonl` (0600): an agent's signed batches, and which of them are proven to be in the
 * log.
 *
 * @module
 */
import { z } from "zod";
import { Ed25519Signature, Sha256 } from "./units.ts";

const seq = z.int().min(1);

/** A batch as signed. Its salts are not stored but recomputed. */
export const StoredBatch = z.strictObject({
  first_seq: seq,
  last_seq: seq,
  hash: Sha256,
  previous: Sha256,
  signature: Ed25519Signature,
});
export type StoredBatch = z.infer<typeof StoredBatch>;

/** A batch, or the number up to which the log is proven to have the events. */
export const JournalLine = z.union([
  z.strictObject({ batch: StoredBatch }),
  z.strictObject({ proven: z.int().min(0) }),
]);
export type JournalLine = z.infer<typeof JournalLine>;
