/**
 * The Merkle tree over an account's events, stored as complete tiles and a tail of hashes in none yet.
 *
 * A transaction's events cost one read and one write of the tail, and a tile for every 31 events. A tree that
 * lags behind its events, as in a log older than its tree, catches up in steps.
 *
 * @module
 */
import { and, asc, eq, gt, inArray, or } from "drizzle-orm";
import { assert } from "../../../base/assert.ts";
import {
  nodeIn,
  type Place,
  packHashes,
  placeOf,
  type TileId,
  TreeTail,
  unpackHashes,
} from "../../../log/tiles.ts";
import { leafHash } from "../../../log/tree-hash.ts";
import { foldNodes, nodesOf, type Range } from "../../../log/tree-ranges.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Row } from "../schema/schema.ts";
import { leafOf } from "./log-leaf.ts";

export type LogHead = Row<"logHeads">;

/** Most events added to the tree in one transaction. */
const STEP_EVENTS_MAX = 1_000;
/** Tiles in one INSERT, to stay below the database's limit on parameters. */
const INSERT_TILES_MAX = 100;

export async function findHead(tx: Reader, accountId: AccountId): Promise<LogHead | undefined> {
  const { logHeads } = tx.t;
  const [head] = await tx.sql.select().from(logHeads).where(eq(logHeads.accountId, accountId));
  return head;
}

/** Begins the account's log. Its origin never changes. */
export async function insertHead(tx: Writer, accountId: AccountId, origin: string): Promise<void> {
  await tx.sql.insert(tx.t.logHeads).values({ accountId, origin, size: 0, tail: [], prunedThrough: 0 });
}

/**
 * Adds the `rows` just stored to the tree, and earlier events if it lags. Does nothing before the account's
 * log has begun.
 */
export async function extendTree(
  tx: Writer,
  accountId: AccountId,
  rows: readonly Row<"auditEvents">[],
): Promise<void> {
  const head = await findHead(tx, accountId);
  if (head === undefined) return;
  if (rows[0]?.seq === head.size + 1) await append(tx, head, rows);
  else await catchUp(tx, accountId);
}

/** Adds the next events to the tree. True: there may be more. */
export async function catchUp(tx: Writer, accountId: AccountId): Promise<boolean> {
  const head = await findHead(tx, accountId);
  if (head === undefined) return false;
  const { auditEvents } = tx.t;
  const rows = await tx.sql
    .select()
    .from(auditEvents)
    .where(and(eq(auditEvents.accountId, accountId), gt(auditEvents.seq, head.size)))
    .orderBy(asc(auditEvents.seq))
    .limit(STEP_EVENTS_MAX);
  await append(tx, head, rows);
  return rows.length === STEP_EVENTS_MAX;
}

async function append(tx: Writer, head: LogHead, rows: readonly Row<"auditEvents">[]): Promise<void> {
  if (rows.length === 0) return;
  const { accountId } = head;
  const tail = tailOf(head);
  for (const row of rows) {
    assert(row.seq === tail.size + 1, "an account's events are numbered without gaps");
    tail.append(leafHash(leafOf(row)));
  }
  const tiles = tail.takeWhole().map(({ level, index, hashes }) => ({
    accountId,
    level,
    tile: index,
    hashes: packHashes(hashes),
  }));
  for (let i = 0; i < tiles.length; i += INSERT_TILES_MAX) {
    await tx.sql.insert(tx.t.logTiles).values(tiles.slice(i, i + INSERT_TILES_MAX));
  }
  await tx.sql
    .update(tx.t.logHeads)
    .set({ size: tail.size, tail: tail.levels.map(packHashes) })
    .where(eq(tx.t.logHeads.accountId, accountId));
}

/** The tree's tail, whose root is that of all its leaves. */
export function tailOf({ size, tail }: LogHead): TreeTail {
  return new TreeTail(size, tail.map(unpackHashes));
}

/** The hash over each range of leaves in the tree of `head`. */
export async function rangeHashes(
  tx: Reader,
  head: LogHead,
  ranges: readonly Range[],
): Promise<Uint8Array[]> {
  const nodes = ranges.map((range) => nodesOf(range).map(placeOf));
  const hashOf = await nodeReader(tx, head, nodes.flat());
  return nodes.map((places) => foldNodes(places.map(hashOf)));
}

/** The hash of each complete subtree of `range`, left to right. */
export async function subtreeHashes(tx: Reader, head: LogHead, range: Range): Promise<Uint8Array[]> {
  const places = nodesOf(range).map(placeOf);
  return places.map(await nodeReader(tx, head, places));
}

/** Leaf hashes of events `first` through `last`. */
export async function leafHashes(
  tx: Reader,
  head: LogHead,
  first: number,
  last: number,
): Promise<Uint8Array[]> {
  const places = Array.from({ length: last - first + 1 }, (_, i) =>
    placeOf({ level: 0, index: first - 1 + i }),
  );
  return places.map(await nodeReader(tx, head, places));
}

/** Reads the tiles of all `places` at once. */
async function nodeReader(
  tx: Reader,
  head: LogHead,
  places: readonly Place[],
): Promise<(place: Place) => Uint8Array> {
  const tail = tailOf(head);
  const wanted = new Map(
    places.filter(({ tile }) => tail.hashesOf(tile) === undefined).map(({ tile }) => [nameOf(tile), tile]),
  );
  const found = new Map<string, Uint8Array[]>();
  const tiles = [...wanted.values()];
  for (let i = 0; i < tiles.length; i += INSERT_TILES_MAX) {
    for (const row of await findTiles(tx, head.accountId, tiles.slice(i, i + INSERT_TILES_MAX))) {
      found.set(nameOf({ level: row.level, index: row.tile }), unpackHashes(row.hashes));
    }
  }
  return (place) => nodeIn(place, tail.hashesOf(place.tile) ?? found.get(nameOf(place.tile)) ?? []);
}

function findTiles(tx: Reader, accountId: AccountId, tiles: readonly TileId[]): Promise<Row<"logTiles">[]> {
  const { logTiles } = tx.t;
  const levels = [...new Set(tiles.map(({ level }) => level))];
  const wanted = levels.map((level) =>
    and(
      eq(logTiles.level, level),
      inArray(
        logTiles.tile,
        tiles.filter((tile) => tile.level === level).map(({ index }) => index),
      ),
    ),
  );
  return tx.sql
    .select()
    .from(logTiles)
    .where(and(eq(logTiles.accountId, accountId), or(...wanted)));
}

function nameOf({ level, index }: TileId): string {
  return `${level}/${index}`;
}
