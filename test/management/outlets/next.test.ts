import { expect, test } from "bun:test";
import { systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import type { OutletRow } from "../../../src/management/db/tables/log-outlets.ts";
import { nextOfOutlet } from "../../../src/management/outlets/next.ts";
import { NoticeReader } from "../../../src/management/outlets/notices.ts";
import { aManagement, anAccount } from "../../support/management.ts";

async function aLog() {
  const { store, logs, clock } = aManagement();
  const { accountId } = await anAccount(store);
  const add = (activity: "policy.update" | "login", count: number) => {
    const events = Array.from({ length: count }, () => ({ activity, targetId: "" }));
    return store.change({ accountId, initiator: systemInitiator, events }, async () => {});
  };
  const next = (change: Partial<OutletRow>) => {
    const outlet = { accountId, purpose: "stream", cursorSeq: 0, endsAtSeq: null, topics: [], ...change };
    const reading = { notices: new NoticeReader(), nowMs: clock.nowMs() };
    return store.read((tx) => nextOfOutlet(tx, outlet as unknown as OutletRow, reading));
  };
  return { begin: () => logs.begin(accountId), add, next };
}

test("a log that has not begun gives nothing", async () => {
  const { next } = await aLog();
  expect(await next({})).toEqual({ lines: [], notices: [], throughSeq: 0 });
});

test("a stream gets entries after its cursor, and none behind its end", async () => {
  const { begin, add, next } = await aLog();
  await begin();
  await add("login", 5);
  expect((await next({ cursorSeq: 2 })).lines.map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
  expect((await next({ cursorSeq: 2, endsAtSeq: 4 })).throughSeq).toBe(4);
  expect((await next({ cursorSeq: 4, endsAtSeq: 4 })).lines).toEqual([]);
});

test("a channel reads on also where there is nothing to tell", async () => {
  const { begin, add, next } = await aLog();
  await begin();
  await add("login", 2);
  await add("policy.update", 1);
  const channel = { purpose: "notices" as const, topics: ["new_device" as const] };
  expect(await next(channel)).toEqual({ lines: [], notices: [], throughSeq: 4 });
  const wanted = await next({ ...channel, topics: ["policy_change"] });
  expect(wanted.notices.map(({ seq }) => seq)).toEqual([4]);
});
