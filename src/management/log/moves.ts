/**
 * Moves of this server to another public address (`serve --public-url --move`). The server stores them and
 * announces them to machines and devices, signed by each account's log key, until they expire.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { parseJson } from "../../base/files.ts";
import { MOVES_MAX, StoredMove } from "../../wire/log-entry.ts";
import type { Reader, Writer } from "../db/engine/transaction.ts";
import { findMeta, putMeta } from "../db/tables/accounts.ts";

/** How long the server still answers at the old address, so that machines offline for a month find it. */
export const MOVE_SECONDS = 30 * 86_400;

/** Moves that are still announced, oldest first. */
export async function listMoves(tx: Reader): Promise<StoredMove[]> {
  const stored = StoredMove.array().safeParse(parseJson((await findMeta(tx, "moves")) ?? "[]"));
  const now = nowSeconds(tx.clock);
  return (stored.data ?? []).filter(({ until_seconds }) => until_seconds > now);
}

/** Records a move: from now on the server is at `to` and announces that at `from`. */
export async function noteMove(tx: Writer, { from, to }: { from: string; to: string }): Promise<void> {
  const now = nowSeconds(tx.clock);
  const move = { from, to, at_seconds: now, until_seconds: now + MOVE_SECONDS, logged: [] };
  await putMoves(tx, [...(await listMoves(tx)), move].slice(-MOVES_MAX));
}

/** The moves that the account's log lacks. Marks them as logged. */
export async function takeUnlogged(tx: Writer, accountId: string): Promise<StoredMove[]> {
  const all = await listMoves(tx);
  const due = all.filter(({ logged }) => !logged.includes(accountId));
  if (due.length === 0) return [];
  const isDue = (move: StoredMove): boolean => due.includes(move);
  await putMoves(
    tx,
    all.map((move) => (isDue(move) ? { ...move, logged: [...move.logged, accountId] } : move)),
  );
  return due;
}

async function putMoves(tx: Writer, moves: readonly StoredMove[]): Promise<void> {
  await putMeta(tx, "moves", JSON.stringify(moves));
}
