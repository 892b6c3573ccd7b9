import { expect, test } from "bun:test";
import { CompactRange } from "../../src/log/compact-range.ts";
import { leafHash, treeHash } from "../../src/log/tree-hash.ts";
import { nodesOf } from "../../src/log/tree-ranges.ts";

const SIZE_MAX = 80;
const leaves = Array.from({ length: SIZE_MAX }, (_, i) => leafHash(`leaf ${i}`));

test("a compact range has the root of every size, and goes on from any place", () => {
  const whole = new CompactRange();
  for (let size = 0; size <= SIZE_MAX; size++) {
    expect(whole.root()).toEqual(treeHash(leaves.slice(0, size)));
    const from = new CompactRange(size, whole.hashes);
    for (const leaf of leaves.slice(size)) from.append(leaf);
    expect(from.root()).toEqual(treeHash(leaves));
    if (size < SIZE_MAX) whole.append(leaves[size] as Uint8Array);
  }
});

test("a compact range takes whole subtrees where they fit", () => {
  for (let from = 0; from <= SIZE_MAX; from++) {
    const nodes = nodesOf({ from: 0, to: from }).map(({ level, index }) =>
      treeHash(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)),
    );
    const range = new CompactRange(from, nodes);
    for (const { level, index } of nodesOf({ from, to: SIZE_MAX })) {
      range.appendNode(level, treeHash(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)));
    }
    expect(range.root()).toEqual(treeHash(leaves));
  }
});
