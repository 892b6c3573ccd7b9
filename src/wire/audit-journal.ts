/**
 * `<state>/audit/batches.jsonl` (0600): an agent's signed batches, and what is proven of them.
 *
 * @module
 */
import { z } from "zod";
import { Ed25519Signature, Sha256 } from "./units.ts";

const seq = z.int().min(1);

/** A batch as it was signed; its salts are computed again. */
export const StoredBatch = z.strictObject({
  first_seq: seq,
  last_seq: seq,
  hash: Sha256,
  previous: Sha256,
  signature: Ed25519Signature,
});
export type StoredBatch = z.infer<typeof StoredBatch>;

/** A batch, or that the log is proven to have events through a number. */
export const JournalLine = z.union([
  z.strictObject({ batch: StoredBatch }),
  z.strictObject({ proven: z.int().min(0) }),
]);
export type JournalLine = z.infer<typeof JournalLine>;
