import { expect, test } from "bun:test";
import { QfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { OutletRow } from "../../../src/management/db/tables/log-outlets.ts";
import { createOutletDesk } from "../../../src/management/outlets/desk.ts";
import type { Sender } from "../../../src/management/outlets/sender.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const clock = new FakeClock();
const masterKey = new Uint8Array(32).fill(7);
const deskOver = (sendTest: () => Promise<void>) =>
  createOutletDesk({
    sender: { sendTest } as unknown as Sender,
    masterKey,
    log: silentLog,
    clock,
    hasMail: false,
  });
const row = { id: "o1", accountId: "a1" } as OutletRow;

test("a test says whether it has arrived, and of a failure only what is ours to say", async () => {
  expect(await deskOver(async () => {}).test(row)).toEqual({ ok: true, error: null, hint: null });
  const ours = new QfError("ERR_UNAVAILABLE", "it is away", { hint: "look" });
  expect(await deskOver(() => Promise.reject(ours)).test(row)).toEqual({
    ...{ ok: false, error: "it is away", hint: "look" },
  });
  const theirs = new Error("token=secret");
  expect(JSON.stringify(await deskOver(() => Promise.reject(theirs)).test(row))).not.toContain("secret");
});

test("few run at once", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const desk = deskOver(() => promise);
  const running = Array.from({ length: 8 }, () => desk.test(row));
  expect((await desk.test(row)).ok).toBe(false);
  resolve();
  expect((await Promise.all(running)).every(({ ok }) => ok)).toBe(true);
});

test("an account sends ten in a minute, and another one as many", async () => {
  const desk = deskOver(async () => {});
  const send = async (outlet = row) => (await desk.test(outlet)).ok;
  for (let i = 0; i < 10; i++) expect(await send()).toBe(true);
  expect([await send(), await send({ ...row, accountId: "a2" })]).toEqual([false, true]);
  clock.advanceMs(59_999);
  expect(await send()).toBe(false);
  clock.advanceMs(1);
  expect(await send()).toBe(true);
});
