import { expect, test } from "bun:test";
import {
  nodeIn,
  packHashes,
  placeOf,
  TILE_WIDTH,
  type Tile,
  TreeTail,
  unpackHashes,
} from "../../src/log/tiles.ts";
import { leafHash, treeHash } from "../../src/log/tree-hash.ts";
import { nodesOf } from "../../src/log/tree-ranges.ts";

const SIZE_MAX = TILE_WIDTH * TILE_WIDTH + 3 * TILE_WIDTH + 5;
const leaves = Array.from({ length: SIZE_MAX }, (_, i) => leafHash(`leaf ${i}`));
const nameOf = ({ level, index }: Pick<Tile, "level" | "index">) => `${level}/${index}`;

test("a tail has the root of its size, and every node is in a whole tile or in the tail", () => {
  const tail = new TreeTail();
  const tiles = new Map<string, Tile>();
  for (const [i, leaf] of leaves.entries()) {
    tail.append(leaf);
    for (const tile of tail.takeWhole()) tiles.set(nameOf(tile), tile);
    const size = i + 1;
    if (size % 97 !== 0 && size !== SIZE_MAX) continue;
    expect(tail.root()).toEqual(treeHash(leaves.slice(0, size)));
    for (const node of nodesOf({ from: 0, to: size })) {
      const place = placeOf(node);
      const hashes = tiles.get(nameOf(place.tile))?.hashes ?? tail.hashesOf(place.tile) ?? [];
      const [from, to] = [node.index * 2 ** node.level, (node.index + 1) * 2 ** node.level];
      expect(nodeIn(place, hashes)).toEqual(treeHash(leaves.slice(from, to)));
    }
  }
  expect(tiles.size).toBe(TILE_WIDTH + 3 + 1);
});

test("a tail goes on from what was stored of it, with the same tiles", () => {
  const whole = new TreeTail();
  let stored = new TreeTail();
  const [once, resumed]: [Tile[], Tile[]] = [[], []];
  for (const leaf of leaves) {
    whole.append(leaf);
    once.push(...whole.takeWhole());
    stored = new TreeTail(stored.size, stored.levels.map(packHashes).map(unpackHashes));
    stored.append(leaf);
    resumed.push(...stored.takeWhole());
  }
  expect(resumed.map(nameOf)).toEqual(once.map(nameOf));
  expect(stored.root()).toEqual(whole.root());
});

test("a tail of another size is not gone on with", () => {
  expect(() => new TreeTail(3, [[leaves[0] as Uint8Array]])).toThrow();
});
