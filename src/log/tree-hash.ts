/**
 * Hashes of a Merkle tree as RFC 9162 section 2.1.1 defines them, with SHA-256.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { assert } from "../base/assert.ts";

/** Length of every hash, in bytes. */
export const HASH_BYTES = 32;

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

/** The hash of one leaf. */
export function leafHash(leaf: Uint8Array | string): Buffer {
  return createHash("sha256").update(LEAF).update(leaf).digest();
}

/** The hash of an inner node. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash("sha256").update(NODE).update(left).update(right).digest();
}

/** The root of a tree without leaves. */
export function emptyRoot(): Buffer {
  return createHash("sha256").digest();
}

/** The root over `leaves`, which are leaf hashes, computed as in the RFC. For few leaves. */
export function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return emptyRoot();
  if (leaves.length === 1) return only;
  const split = largestPowerBelow(leaves.length);
  return nodeHash(treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

/** The largest power of two that is smaller than `count`, which is 2 or more. */
export function largestPowerBelow(count: number): number {
  assert(count >= 2, "one leaf is not split");
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Whether two hashes are the same. They are public, so timing reveals nothing. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
