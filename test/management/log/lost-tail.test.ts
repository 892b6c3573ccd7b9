import { expect, test } from "bun:test";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { logOrigin, signCheckpoint } from "../../../src/log/checkpoint.ts";
import { openEd25519 } from "../../../src/management/ca/account-keys.ts";
import { listSigningKeys } from "../../../src/management/db/tables/keys.ts";
import { lostTails, noteLostTail } from "../../../src/management/log/lost-tail.ts";
import { TestApi } from "../../support/admin-api.ts";
import { ORIGIN } from "../../support/management.ts";

const MASTER_KEY = new Uint8Array(32).fill(7);
const PATH = "/api/events/audit/lost";

async function aLog() {
  const api = await TestApi.open();
  const { management, accountId } = api;
  await management.logs.begin(accountId);
  const [row] = await management.store.read((tx) => listSigningKeys(tx, accountId, "log"));
  if (row === undefined) throw new Error("no key");
  const key = openEd25519(MASTER_KEY, row);
  const noteOf = (size: number, by = key) =>
    signCheckpoint({ origin: logOrigin(ORIGIN, accountId), size, root: Buffer.alloc(32, 1) }, by);
  const tails = () => management.store.read((tx) => lostTails(tx, accountId));
  return { api, noteOf, tails, take: (note: string) => noteLostTail(management, accountId, note) };
}

test("what a machine proves to have seen is written down once, until more of it turns up", async () => {
  const { noteOf, tails, take } = await aLog();
  expect([await take(noteOf(9)), await take(noteOf(9)), await take(noteOf(7))]).toEqual([true, true, true]);
  expect((await tails()).map(({ from, to }) => [from, to])).toEqual([[2, 9]]);
  await take(noteOf(20));
  expect((await tails()).map(({ from, to }) => [from, to])).toEqual([
    [3, 20],
    [2, 9],
  ]);
});

test("a loss at places whose loss was acknowledged is another loss", async () => {
  const { api, noteOf, tails, take } = await aLog();
  await take(noteOf(20));
  await api.call("POST", `${PATH}/acknowledge`);
  expect(await take(noteOf(20))).toBe(true);
  expect(await tails()).toHaveLength(1);
  for (const size of [9, 9, 20]) expect(await take(noteOf(size))).toBe(true);
  expect((await tails()).map(({ to, acknowledged }) => [to, acknowledged === null])).toEqual([
    [9, true],
    [20, false],
  ]);
  await take(noteOf(19));
  expect((await tails()).map(({ to }) => to)).toEqual([19, 9, 20]);
});

test("what no key of the log has signed, or is not missing, is no loss", async () => {
  const { noteOf, tails, take } = await aLog();
  expect(await take(noteOf(9, generateEd25519()))).toBe(false);
  expect(await take("x")).toBe(false);
  expect(await take(noteOf(1))).toBe(false);
  expect(await tails()).toEqual([]);
});

test("an owner acknowledges it, once; nobody else does", async () => {
  const { api, noteOf, take } = await aLog();
  await take(noteOf(9));
  const { token: admin } = await api.tokenAs("admin");
  expect((await api.call("POST", `${PATH}/acknowledge`, undefined, admin)).status).toBe(403);
  expect((await api.call("GET", PATH, undefined, admin)).body).toMatchObject([
    { from: 2, to: 9, seq: 2, acknowledged_at: null, acknowledged_by: null },
  ]);
  expect((await api.call("POST", `${PATH}/acknowledge`)).body).toMatchObject([{ from: 2, to: 9 }]);
  const [tail] = (await api.call("GET", PATH)).body;
  expect(tail.acknowledged_at).not.toBeNull();
  expect((await api.call("POST", `${PATH}/acknowledge`)).status).toBe(409);
  expect(await api.activities()).toEqual(["log.lost", "log.lost.acknowledge"]);
});
