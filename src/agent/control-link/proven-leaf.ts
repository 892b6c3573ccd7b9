/**
 * Log entries that management shows with a proof of inclusion.
 *
 * @module
 */
import { parseJson } from "../../base/files.ts";
import type { ReadNote } from "../../log/checkpoint.ts";
import { isIncluded } from "../../log/proofs.ts";
import { leafHash } from "../../log/tree-hash.ts";
import type { ProvenLeaf } from "../../wire/agent-sync.ts";

/** An entry as it was hashed. Its fields are unchecked. */
export interface ShownEntry {
  readonly activity_code?: unknown;
  readonly target_id?: unknown;
  readonly initiator_name?: unknown;
  readonly data?: unknown;
}

/** Parses the entry if `tree` includes it. Undefined: that is not proven. */
export function provenEntry({ seq, leaf, proof }: ProvenLeaf, tree: ReadNote): ShownEntry | undefined {
  const hashes = proof.map((hash) => Buffer.from(hash, "base64"));
  if (!isIncluded(leafHash(leaf), seq - 1, hashes, tree)) return undefined;
  const entry = parseJson(leaf);
  return typeof entry === "object" && entry !== null ? entry : undefined;
}
