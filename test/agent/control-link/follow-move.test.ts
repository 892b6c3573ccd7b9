/** How an agent's link ends where management has moved. */
import { expect, test } from "bun:test";
import { endOfMoved, type MoveFollower } from "../../../src/agent/control-link/follow-move.ts";
import type { Move } from "../../../src/log/move.ts";

const [OLD, NEW] = ["https://old.example.com", "https://new.example.com"];
const move: Move = { from: OLD, to: NEW, at_seconds: 1, until_seconds: 2 };
const welcome = { accountId: "a", origin: NEW, log: { origin: "o", key: "k" } };
const follower = (change: Partial<MoveFollower> = {}): MoveFollower => ({
  enrolled: { accountId: "a", origin: OLD },
  witness: { log: { moveOf: async () => move } },
  onMoved: async () => true,
  ...change,
});
const noWord = { witness: { log: { moveOf: async () => null } } };
const elsewhere = { ...move, to: "https://third.example.com" };

test("it ends for the next one to go there at once", async () => {
  expect(await endOfMoved(welcome, follower())).toMatchObject({ how: { retryAfterMs: 0 } });
});

test("where root has to say so, how is said", async () => {
  const end = await endOfMoved(welcome, follower({ onMoved: async () => false }));
  expect(end?.how).toEqual({ isBad: true, fix: `run qf agent up --management-url ${NEW}` });
});

test.each<[what: string, change: Partial<MoveFollower>, welcomed?: Partial<typeof welcome>]>([
  ["management is where it was", {}, { origin: OLD }],
  ["of another account", {}, { accountId: "b" }],
  ["without a word that counts", noWord],
  ["the word is of another address", { witness: { log: { moveOf: async () => elsewhere } } }],
])("it goes on, or is refused as ever: %s", async (_what, change, welcomed = {}) => {
  expect(await endOfMoved({ ...welcome, ...welcomed }, follower(change))).toBeNull();
});
