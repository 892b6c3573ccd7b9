/**
 * Checks of proofs: inclusion (RFC 9162 section 2.1.3.2) and consistency (section 2.1.4.2).
 *
 * Proofs are untrusted: anything invalid returns false and never throws.
 *
 * @module
 */
import { emptyRoot, HASH_BYTES, isSameHash, nodeHash } from "./tree-hash.ts";

/** Hashes in one proof: enough for 2^53 leaves. */
export const PROOF_HASHES_MAX = 64;

/** Size and root of a tree, from a checkpoint. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Whether `proof` shows that `leaf`, a leaf hash, is number `index` (from 0) of the tree. */
export function isIncluded(
  leaf: Uint8Array,
  index: number,
  proof: readonly Uint8Array[],
  tree: TreeHead,
): boolean {
  if (!isCount(index) || !isCount(tree.size) || index >= tree.size || !areHashes(proof)) return false;
  let node = index;
  let last = tree.size - 1;
  let hash: Uint8Array = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && isSameHash(hash, tree.root);
}

/** Whether `proof` shows that `before` is a prefix of `after`. */
export function isConsistent(before: TreeHead, after: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (!isCount(before.size) || !isCount(after.size) || before.size > after.size) return false;
  if (!areHashes(proof)) return false;
  if (before.size === 0) return proof.length === 0 && isSameHash(before.root, emptyRoot());
  if (before.size === after.size) return proof.length === 0 && isSameHash(before.root, after.root);
  const [start, ...rest] = isPowerOfTwo(before.size) ? [before.root, ...proof] : proof;
  if (start === undefined) return false;
  return climb(before, after, start, rest);
}

/** Computes both roots upwards from the last node of the smaller tree. */
function climb(before: TreeHead, after: TreeHead, start: Uint8Array, rest: readonly Uint8Array[]): boolean {
  let node = before.size - 1;
  let last = after.size - 1;
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let first = start;
  let second = start;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      first = nodeHash(sibling, first);
      second = nodeHash(sibling, second);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      second = nodeHash(second, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && isSameHash(first, before.root) && isSameHash(second, after.root);
}

/** Not a shift, which is limited to 32 bits. */
function half(value: number): number {
  return Math.floor(value / 2);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value)) && 2 ** Math.log2(value) === value;
}

function areHashes(proof: readonly Uint8Array[]): boolean {
  return proof.length <= PROOF_HASHES_MAX && proof.every((hash) => hash.length === HASH_BYTES);
}
