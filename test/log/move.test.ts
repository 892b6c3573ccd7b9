/** Moves of management: which words are followed, and where to. */
import { expect, test } from "bun:test";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { followMoves, type Move, signMove } from "../../src/log/move.ts";
import type { MoveRecord } from "../../src/wire/log-entry.ts";

const NOW = 1_800_000_000;
const [A, B, C] = ["https://a.example.com", "https://b.example.com", "https://c.example.com"] as const;
const key = generateEd25519();
const log = { origin: "a.example.com/qufabric/acc1", key: key.publicKey };
const move = (from: string, to: string, change: Partial<Move> = {}): Move => ({
  ...{ from, to, at_seconds: NOW - 10, until_seconds: NOW + 10 },
  ...change,
});
const signed = (...moves: readonly Move[]): MoveRecord[] =>
  moves.map((one) => signMove(log.origin, one, key));
const ab = signMove(log.origin, move(A, B), key);

test.each<[what: string, records: readonly MoveRecord[], to: string | null]>([
  ["one move", [ab], B],
  ["two in a row", signed(move(A, B), move(B, C)), C],
  ["there and back", signed(move(A, B), move(B, A)), null],
  ["moves of other addresses", signed(move(C, B), move(A, B)), B],
  ["none", [], null],
  ["a move from elsewhere", signed(move(C, B)), null],
  ["one whose time is over", signed(move(A, B, { until_seconds: NOW })), null],
  ["another key's word", [signMove(log.origin, move(A, B), generateEd25519())], null],
  ["the word of another account's log", [signMove("a.example.com/qufabric/acc2", move(A, B), key)], null],
  ["another address than was signed", [{ ...ab, to: C }], null],
  ["another beginning than was signed", [{ ...ab, at_seconds: NOW }], null],
  ["a longer time than was signed", [{ ...ab, until_seconds: NOW + 11 }], null],
])("%s: followed to %#", (_what, records, to) => {
  expect(followMoves(log, { from: A, records, nowSeconds: NOW })?.to ?? null).toBe(to);
});
