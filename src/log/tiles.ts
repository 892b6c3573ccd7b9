/**
 * The stored form of a tree: tiles of 32 hashes, written once, and each level's tail that is not a full tile
 * yet.
 *
 * Tile level T holds hashes of nodes of level 5 T. Every node of the tree can be computed from one tile, and
 * the root of any size from a few: storing n leaves writes n/31 tiles, and a proof reads O(log n) of them.
 * Read `TreeTail`, then `placeOf`.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { HASH_BYTES, treeHash } from "./tree-hash.ts";
import { foldNodes, type Node, nodesOf } from "./tree-ranges.ts";

/** Levels of the tree in one tile. */
const TILE_HEIGHT = 5;
/** Hashes in a whole tile. */
export const TILE_WIDTH = 2 ** TILE_HEIGHT;

/** The name of a tile. */
export interface TileId {
  readonly level: number;
  readonly index: number;
}

/** A full tile. */
export interface Tile extends TileId {
  readonly hashes: readonly Uint8Array[];
}

/** The hashes of a tile from which a node is computed: `count` of them from `offset` on. */
export interface Place {
  readonly tile: TileId;
  readonly offset: number;
  readonly count: number;
}

export function placeOf({ level, index }: Node): Place {
  const count = 2 ** (level % TILE_HEIGHT);
  const first = index * count;
  return {
    tile: { level: Math.floor(level / TILE_HEIGHT), index: Math.floor(first / TILE_WIDTH) },
    offset: first % TILE_WIDTH,
    count,
  };
}

/** The hash of the node at `place`. `hashes` are its tile's, possibly incomplete. */
export function nodeIn(place: Place, hashes: readonly Uint8Array[]): Uint8Array {
  const part = hashes.slice(place.offset, place.offset + place.count);
  assert(part.length === place.count, "a tile has the hashes of a node of the tree");
  return treeHash(part);
}

/** `hashes` as text: base64 of all of them. */
export function packHashes(hashes: readonly Uint8Array[]): string {
  return Buffer.concat(hashes).toString("base64");
}

export function unpackHashes(text: string): Buffer[] {
  const bytes = Buffer.from(text, "base64");
  assert(bytes.length % HASH_BYTES === 0, "packed hashes are whole");
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}

/** The tail of a tree, which suffices to continue it. */
export class TreeTail {
  #size: number;
  /** Per tile level, the hashes outside full tiles. */
  readonly #levels: Uint8Array[][];
  readonly #whole: Tile[] = [];

  /** Continues from `size` leaves; `levels` are those of that tree's tail. */
  constructor(size = 0, levels: readonly (readonly Uint8Array[])[] = []) {
    this.#size = size;
    this.#levels = levels.map((hashes) => [...hashes]);
    for (const [level, hashes] of this.#levels.entries()) {
      const expected = Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
      assert(hashes.length === expected, "the tail of a tree is that of its size");
    }
  }

  get size(): number {
    return this.#size;
  }

  get levels(): readonly (readonly Uint8Array[])[] {
    return this.#levels;
  }

  /** Adds a leaf by its hash. */
  append(leaf: Uint8Array): void {
    this.#size += 1;
    let hash = leaf;
    for (let level = 0; ; level += 1) {
      const hashes = this.#levels[level] ?? [];
      this.#levels[level] = hashes;
      hashes.push(hash);
      if (hashes.length < TILE_WIDTH) return;
      this.#whole.push({ level, index: this.#size / TILE_WIDTH ** (level + 1) - 1, hashes: [...hashes] });
      hash = treeHash(hashes);
      this.#levels[level] = [];
    }
  }

  /** Tiles that became full since the last call. */
  takeWhole(): Tile[] {
    return this.#whole.splice(0);
  }

  /** The hashes of `tile` if it is in the tail. */
  hashesOf({ level, index }: TileId): readonly Uint8Array[] | undefined {
    return index === Math.floor(this.#size / TILE_WIDTH ** (level + 1)) ? this.#levels[level] : undefined;
  }

  root(): Uint8Array {
    const hashes = nodesOf({ from: 0, to: this.#size }).map((node) => {
      const place = placeOf(node);
      return nodeIn(place, this.hashesOf(place.tile) ?? []);
    });
    return foldNodes(hashes);
  }
}
