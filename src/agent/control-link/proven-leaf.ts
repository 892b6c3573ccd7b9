/**
 * Entries of the log that management shows with a proof.
 *
 * @module
 */
import { parseJson } from "../../base/files.ts";
import type { ReadNote } from "../../log/checkpoint.ts";
import { isIncluded } from "../../log/proofs.ts";
import { leafHash } from "../../log/tree-hash.ts";
import type { ProvenLeaf } from "../../wire/agent-sync.ts";

/** An entry as it was hashed; nothing of it is checked but that it is there. */
export interface ShownEntry {
  readonly activity_code?: unknown;
  readonly target_id?: unknown;
  readonly initiator_name?: unknown;
  readonly data?: unknown;
}

/** The entry, where it is in `tree`. Undefined: that is not proven. */
export function provenEntry({ seq, leaf, proof }: ProvenLeaf, tree: ReadNote): ShownEntry | undefined {
  const hashes = proof.map((hash) => Buffer.from(hash, "base64"));
  if (!isIncluded(leafHash(leaf), seq - 1, hashes, tree)) return undefined;
  const entry = parseJson(leaf);
  return typeof entry === "object" && entry !== null ? entry : undefined;
}
