import { expect, test } from "bun:test";
import { leafHash, treeHash } from "../../src/log/tree-hash.ts";
import { foldNodes, inclusionRanges, nodesOf } from "../../src/log/tree-ranges.ts";

const SIZE_MAX = 80;
const leaves = Array.from({ length: SIZE_MAX }, (_, i) => leafHash(`leaf ${i}`));

test("any range of the recursion is a fold of its complete subtrees", () => {
  for (let size = 1; size <= SIZE_MAX; size++) {
    for (const range of [{ from: 0, to: size }, ...inclusionRanges(size - 1, size)]) {
      const hashes = nodesOf(range).map(({ level, index }) =>
        treeHash(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)),
      );
      expect(foldNodes(hashes)).toEqual(treeHash(leaves.slice(range.from, range.to)));
    }
  }
});

test("a leaf that is not in the tree has no proof", () => {
  expect(() => inclusionRanges(3, 3)).toThrow();
  expect(() => inclusionRanges(-1, 3)).toThrow();
});
