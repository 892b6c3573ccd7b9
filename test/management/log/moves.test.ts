/** Moves of the server: noted with it, in each account's log once, announced until their end. */
import { expect, test } from "bun:test";
import { followMoves } from "../../../src/log/move.ts";
import { createAccountLogs } from "../../../src/management/log/account-logs.ts";
import { listMoves, MOVE_SECONDS, noteMove } from "../../../src/management/log/moves.ts";
import { aManagement, anAccount, ORIGIN, type TestManagement } from "../../support/management.ts";

const TO = "https://new.example.com";

/** Management at its new address. */
const restarted = (management: TestManagement) =>
  createAccountLogs({ ...management, origin: TO, masterKey: new Uint8Array(32).fill(7) });

async function aMoved(): Promise<{ management: TestManagement; accountId: string }> {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  await management.logs.begin(accountId);
  await management.store.transaction((tx) => noteMove(tx, { from: ORIGIN, to: TO }));
  return { management, accountId };
}

test("a move is an entry of the log, once, and what machines are told is signed by its key", async () => {
  const { management, accountId } = await aMoved();
  for (let i = 0; i < 2; i++) {
    const logs = restarted(management);
    await logs.begin(accountId);
    const log = await logs.identity(accountId);
    if (log === undefined) throw new Error("the log has not begun");
    const asked = { from: ORIGIN, records: log.moves ?? [], nowSeconds: management.clock.nowMs() / 1000 };
    expect(followMoves(log, asked)?.to).toBe(TO);
  }
  const rows = await management.store.read((tx) => tx.sql.select().from(tx.t.auditEvents));
  const moves = rows.filter(({ activity }) => activity === "management.move");
  expect(moves.map(({ meta }) => [meta.from, meta.to])).toEqual([[ORIGIN, TO]]);
});

test("it is announced for a month, and not longer", async () => {
  const { management, accountId } = await aMoved();
  management.clock.advanceMs((MOVE_SECONDS - 1) * 1000);
  expect(await management.store.read(listMoves)).toHaveLength(1);
  management.clock.advanceMs(1_000);
  expect(await management.store.read(listMoves)).toEqual([]);
  const logs = restarted(management);
  await logs.begin(accountId);
  expect((await logs.identity(accountId))?.moves).toBeUndefined();
});

test("without a move there is nothing to follow", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  await management.logs.begin(accountId);
  expect((await management.logs.identity(accountId))?.moves).toBeUndefined();
});
