import { expect, test } from "bun:test";
import fc from "fast-check";
import { isConsistent, isIncluded, type TreeHead } from "../../src/log/proofs.ts";
import { emptyRoot, leafHash, treeHash } from "../../src/log/tree-hash.ts";
import { consistencyRanges, inclusionRanges, type Range } from "../../src/log/tree-ranges.ts";

const SIZE_MAX = 80;
const leaves = Array.from({ length: SIZE_MAX }, (_, i) => leafHash(`leaf ${i}`));

// The naive model: RFC 9162 section 2.1 as it is written, by slices of all leaves.
const headOf = (size: number): TreeHead => ({ size, root: treeHash(leaves.slice(0, size)) });
const hashOf = ({ from, to }: Range): Uint8Array => treeHash(leaves.slice(from, to));

function naivePath(m: number, d: readonly Uint8Array[]): Uint8Array[] {
  if (d.length === 1) return [];
  let k = 1;
  while (k * 2 < d.length) k *= 2;
  return m < k
    ? [...naivePath(m, d.slice(0, k)), treeHash(d.slice(k))]
    : [...naivePath(m - k, d.slice(k)), treeHash(d.slice(0, k))];
}

function naiveSubproof(m: number, d: readonly Uint8Array[], isWhole: boolean): Uint8Array[] {
  if (m === d.length) return isWhole ? [] : [treeHash(d)];
  let k = 1;
  while (k * 2 < d.length) k *= 2;
  return m <= k
    ? [...naiveSubproof(m, d.slice(0, k), isWhole), treeHash(d.slice(k))]
    : [...naiveSubproof(m - k, d.slice(k), false), treeHash(d.slice(0, k))];
}

test("inclusion: every leaf of every size is proven as the RFC's recursion proves it", () => {
  for (let size = 1; size <= SIZE_MAX; size++) {
    for (let index = 0; index < size; index++) {
      const proof = inclusionRanges(index, size).map(hashOf);
      expect(proof).toEqual(naivePath(index, leaves.slice(0, size)));
      expect(isIncluded(leaves[index] as Uint8Array, index, proof, headOf(size))).toBe(true);
    }
  }
});

test("consistency: every pair of sizes is proven as the RFC's recursion proves it", () => {
  for (let second = 0; second <= SIZE_MAX; second++) {
    for (let first = 0; first <= second; first++) {
      const proof = consistencyRanges(first, second).map(hashOf);
      if (first > 0) expect(proof).toEqual(naiveSubproof(first, leaves.slice(0, second), true));
      expect(isConsistent(headOf(first), headOf(second), proof)).toBe(true);
    }
  }
});

const sizes = fc.integer({ min: 1, max: SIZE_MAX });

test("one bit changed anywhere, and nothing is included", () => {
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(), fc.nat({ max: 255 }), (size, at, part, bit) => {
      const index = at % size;
      const leaf = Buffer.from(leaves[index] as Uint8Array);
      const tree = { size, root: Buffer.from(headOf(size).root) };
      const proof = inclusionRanges(index, size).map((range) => Buffer.from(hashOf(range)));
      const parts = [leaf, tree.root, ...proof];
      const hit = parts[part % parts.length] as Buffer;
      hit[bit >> 3] = (hit[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(isIncluded(leaf, index, proof, tree)).toBe(false);
    }),
  );
});

test("a leaf is at its own index only, and a proof of another length proves nothing", () => {
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(), (size, at, other) => {
      const index = at % size;
      const proof = inclusionRanges(index, size).map(hashOf);
      const leaf = leaves[index] as Uint8Array;
      const elsewhere = other % size;
      expect(isIncluded(leaf, elsewhere, proof, headOf(size))).toBe(elsewhere === index);
      expect(isIncluded(leaf, index, [...proof, leaf], headOf(size))).toBe(false);
      if (proof.length > 0) expect(isIncluded(leaf, index, proof.slice(1), headOf(size))).toBe(false);
    }),
  );
});

test("two trees that differ below the smaller size are not consistent, whatever the proof of either", () => {
  fc.assert(
    fc.property(sizes, sizes, fc.nat(), (a, b, at) => {
      const [first, second] = [Math.min(a, b), Math.max(a, b)];
      const forged = leaves.slice(0, second);
      forged[at % first] = leafHash("forged");
      const after = { size: second, root: treeHash(forged) };
      const forgedOf = ({ from, to }: Range) => treeHash(forged.slice(from, to));
      for (const of of [hashOf, forgedOf]) {
        expect(isConsistent(headOf(first), after, consistencyRanges(first, second).map(of))).toBe(false);
      }
    }),
  );
});

test.each([
  ["a size that is no number", { size: Number.NaN, root: emptyRoot() }],
  ["a size below zero", { size: -1, root: emptyRoot() }],
  ["a size beyond exact numbers", { size: 2 ** 60, root: emptyRoot() }],
])("%s is in no proof", (_, head) => {
  expect(isIncluded(leaves[0] as Uint8Array, 0, [], head)).toBe(false);
  expect(isConsistent(head, headOf(3), [])).toBe(false);
  expect(isConsistent(headOf(3), head, [])).toBe(false);
});

test("a hash of another length, and too many of them, prove nothing", () => {
  const many = Array.from({ length: 65 }, () => leaves[0] as Uint8Array);
  expect(isIncluded(leaves[0] as Uint8Array, 0, [Buffer.alloc(31)], headOf(2))).toBe(false);
  expect(isConsistent(headOf(1), headOf(2), many)).toBe(false);
});
