/**
 * An append-only tree in O(log n) memory: the hashes of its complete subtrees.
 *
 * For reading a log from the beginning, or from a point whose nodes are known.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { nodeHash } from "./tree-hash.ts";
import { foldNodes, nodesOf } from "./tree-ranges.ts";

export class CompactRange {
  /** Hashes of `nodesOf` [0, size). */
  readonly #hashes: Uint8Array[];
  #size: number;

  /** Continues from `size` leaves, whose nodes have these hashes. */
  constructor(size = 0, hashes: readonly Uint8Array[] = []) {
    assert(hashes.length === nodesOf({ from: 0, to: size }).length, "a compact range has all its nodes");
    this.#size = size;
    this.#hashes = [...hashes];
  }

  get size(): number {
    return this.#size;
  }

  /** Hashes of the complete subtrees, left to right. */
  get hashes(): readonly Uint8Array[] {
    return this.#hashes;
  }

  /** Adds a leaf by its hash. */
  append(leaf: Uint8Array): void {
    this.appendNode(0, leaf);
  }

  /** Adds a complete subtree of 2^`level` leaves, which must begin here. */
  appendNode(level: number, hash: Uint8Array): void {
    const leaves = 2 ** level;
    assert(this.#size % leaves === 0, "a subtree begins where one of its size may");
    let node = hash;
    for (let rest = this.#size / leaves; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      node = nodeHash(this.#hashes.pop() as Uint8Array, node);
    }
    this.#hashes.push(node);
    this.#size += leaves;
  }

  root(): Uint8Array {
    return foldNodes(this.#hashes);
  }
}
