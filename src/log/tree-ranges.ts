/**
 * The complete subtrees that make up a tree's ranges, roots and proofs.
 *
 * A `Node` is a complete subtree: at level 0 a leaf, at level L the 2^L leaves from `index` * 2^L on. Its
 * hash never changes once its leaves are there, so a store keeps hashes of nodes and nothing else. Every hash
 * of RFC 9162, for any size, is a fold of such nodes. Read `nodesOf`.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { emptyRoot, largestPowerBelow, nodeHash } from "./tree-hash.ts";

export interface Node {
  readonly level: number;
  readonly index: number;
}

/** Leaves from `from` up to, not including, `to`: one subtree of RFC 9162's recursion. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * The nodes of `range`, left to right: the largest that begins there, then those of the rest. The range
 * begins at a split of the recursion, so each node is complete.
 */
export function nodesOf({ from, to }: Range): Node[] {
  const nodes: Node[] = [];
  for (let at = from; at < to; ) {
    let level = 0;
    let size = 1;
    while (at % (size * 2) === 0 && at + size * 2 <= to) {
      level += 1;
      size *= 2;
    }
    nodes.push({ level, index: at / size });
    at += size;
  }
  return nodes;
}

/** The hash over `hashes`, those of `nodesOf` some range, in order. */
export function foldNodes(hashes: readonly Uint8Array[]): Uint8Array {
  const [last, ...before] = hashes.toReversed();
  if (last === undefined) return emptyRoot();
  return before.reduce((right, left) => nodeHash(left, right), last);
}

/**
 * The inclusion proof of the leaf at `index` in a tree of `size` leaves (RFC 9162 section 2.1.3.1), in order.
 */
export function inclusionRanges(index: number, size: number): Range[] {
  assert(Number.isSafeInteger(index) && index >= 0 && index < size, "the leaf is in the tree");
  const ranges: Range[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const split = from + largestPowerBelow(to - from);
    if (index < split) {
      ranges.push({ from: split, to });
      to = split;
    } else {
      ranges.push({ from, to: split });
      from = split;
    }
  }
  return ranges.reverse();
}

/** The consistency proof of trees with `first` and `second` leaves (section 2.1.4.1), in order. */
export function consistencyRanges(first: number, second: number): Range[] {
  assert(first >= 0 && first <= second, "the smaller tree is the first");
  if (first === 0 || first === second) return [];
  const ranges: Range[] = [];
  let from = 0;
  let to = second;
  let isWhole = true;
  while (first !== to) {
    const split = from + largestPowerBelow(to - from);
    if (first <= split) {
      ranges.push({ from: split, to });
      to = split;
    } else {
      ranges.push({ from, to: split });
      from = split;
      isWhole = false;
    }
  }
  if (!isWhole) ranges.push({ from, to });
  return ranges.reverse();
}
