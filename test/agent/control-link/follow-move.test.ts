/** How an agent's link ends where management has moved. */
import { expect, test } from "bun:test";
import { endOfMoved, type MoveFollower, moveOf } from "../../../src/agent/control-link/follow-move.ts";
import { sentenceOfAlarm } from "../../../src/agent/control-link/log-alarms.ts";
import { LogWitness } from "../../../src/agent/control-link/log-witness.ts";
import { type Ed25519Key, generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { type Move, signMove } from "../../../src/log/move.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { logKey, ORIGIN } from "../../support/log-bundle.ts";

const [OLD, NEW] = ["https://old.example.com", "https://new.example.com"];
const move: Move = { from: OLD, to: NEW, at_seconds: 1, until_seconds: 4_000_000_000 };
const log = { origin: ORIGIN, key: logKey.publicKey };
const moves = [signMove(ORIGIN, move, logKey)];
const welcome = { accountId: "a", origin: NEW, log: { ...log, moves } };
const follower = (change: Partial<MoveFollower> = {}): MoveFollower => ({
  enrolled: { accountId: "a", origin: OLD },
  clock: new FakeClock(),
  witness: { log: { identity: welcome.log, pin: async () => true } },
  onMoved: async () => true,
  ...change,
});
const elsewhere = signMove(ORIGIN, { ...move, to: "https://third.example.com" }, logKey);

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
  ["without a word", {}, { log: { ...log, moves: [] } }],
  ["by a log that is not the pinned one", { witness: { log: { identity: log, pin: async () => false } } }],
  ["the word is of another address", {}, { log: { ...log, moves: [elsewhere] } }],
])("it goes on, or is refused as ever: %s", async (_what, change, welcomed = {}) => {
  expect(await endOfMoved({ ...welcome, ...welcomed }, follower(change))).toBeNull();
});

const aWitness = async () => {
  const alerts: string[] = [];
  const witness = new LogWitness({
    ...{ clock: new FakeClock(), log: silentLog, stored: undefined, save: async () => {}, report: () => {} },
    alert: (sentence) => void alerts.push(sentence),
  });
  await witness.pin({ origin: ORIGIN, key: logKey.publicKey });
  return { witness, alerts };
};

const at = { from: OLD, nowSeconds: 1_800_000_000 };
const moveBy = (key: Ed25519Key) => {
  return signMove(ORIGIN, { ...move, until_seconds: at.nowSeconds + 60 }, key);
};

test("management's move is believed by the word of the pinned key, and no other's", async () => {
  const { witness, alerts } = await aWitness();
  const log = { origin: ORIGIN, key: logKey.publicKey };
  const moves = [moveBy(logKey)];
  expect(await moveOf(witness, { ...log, moves }, at)).toMatchObject({ to: "https://new.example.com" });
  const thief = generateEd25519();
  expect(await moveOf(witness, log, at)).toBeNull();
  expect(await moveOf(witness, { ...log, moves }, { ...at, from: "https://another.example.com" })).toBeNull();
  expect(await moveOf(witness, { ...log, moves: [moveBy(thief)] }, at)).toBeNull();
  expect(alerts).toEqual([]);
  expect(await moveOf(witness, { ...log, key: thief.publicKey, moves: [moveBy(thief)] }, at)).toBeNull();
  expect(alerts).toEqual([sentenceOfAlarm("other_key")]);
});

test("a machine that has pinned no log follows no move", async () => {
  const witness = new LogWitness({
    ...{ clock: new FakeClock(), log: silentLog, stored: undefined },
    ...{ save: async () => {}, alert: () => {}, report: () => {} },
  });
  const log = { origin: ORIGIN, key: logKey.publicKey, moves: [moveBy(logKey)] };
  expect(await moveOf(witness, log, at)).toBeNull();
  expect(witness.identity).toBeUndefined();
});
