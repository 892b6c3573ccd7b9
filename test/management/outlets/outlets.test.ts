import { expect, test } from "bun:test";
import { QfError } from "../../../src/base/errors.ts";
import { silentLog } from "../../../src/base/log.ts";
import { newId } from "../../../src/base/random.ts";
import type { Store } from "../../../src/management/db/store.ts";
import { systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import {
  insertOutlet,
  listLiveOutlets,
  type OutletRow,
  updateOutlet,
} from "../../../src/management/db/tables/log-outlets.ts";
import { createOutlets } from "../../../src/management/outlets/outlets.ts";
import type { Sender } from "../../../src/management/outlets/sender.ts";
import { aManagement, anAccount } from "../../support/management.ts";

/** Takes what it is sent, unless `failure` is set. */
class FakeSender implements Sender {
  readonly entries: [outlet: string, seqs: number[]][] = [];
  readonly notices: string[] = [];
  failure: Error | null = null;

  async sendEntries(
    outlet: Pick<OutletRow, "id">,
    lines: readonly { readonly seq: number }[],
  ): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.entries.push([outlet.id, lines.map(({ seq }) => seq)]);
  }

  async sendNotices(_outlet: unknown, notices: readonly { readonly text: string }[]): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.notices.push(...notices.map(({ text }) => text));
  }

  async sendTest(): Promise<void> {}
}

async function aLog(change: Partial<OutletRow> = {}) {
  const { store, logs, clock } = aManagement();
  const { accountId } = await anAccount(store);
  await logs.begin(accountId);
  const sender = new FakeSender();
  const row: OutletRow = {
    ...{ id: newId(), accountId, purpose: "stream", name: "s", enabled: true, topics: [], secret: null },
    target: { type: "webhook", url: "https://hook.example.com/" },
    ...{ cursorSeq: 0, endsAtSeq: null, endedAt: null, failingSince: null, lastError: null },
    ...{ lastDeliveredAt: null, leaseBy: null, leaseUntilMs: 0, createdAt: 0 },
    ...change,
  };
  await store.transaction((tx) => insertOutlet(tx, row));
  const grow = (count: number, activity: "login" | "policy.update" = "login") =>
    addEvents(store, accountId, count, activity);
  const open = () => createOutlets({ store, clock, log: silentLog, sender });
  const stored = async () => (await store.read(listLiveOutlets)).find(({ id }) => id === row.id);
  const sent = () => sender.entries.flatMap(([, seqs]) => seqs);
  return { store, logs, clock, sender, row, grow, open, stored, sent };
}

function addEvents(store: Store, accountId: string, count: number, activity: "login" | "policy.update") {
  const events = Array.from({ length: count }, () => ({ activity, targetId: "" }));
  return store.change({ accountId, initiator: systemInitiator, events }, async () => {});
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const unavailable = new QfError("ERR_UNAVAILABLE", "hook.example.com answered with HTTP status 500");

test("a stream gets every entry in order, in pages, also those of another process's time", async () => {
  const { grow, open, sent, sender, stored } = await aLog();
  await grow(1200);
  const first = open();
  await first.flush();
  expect(sent()).toEqual(numbers(1, 1201));
  expect(sender.entries.map(([, seqs]) => seqs.length)).toEqual([500, 500, 201]);
  await first.close();
  await grow(2);
  const second = open();
  await second.flush();
  expect(sent()).toEqual(numbers(1, 1203));
  expect(await stored()).toMatchObject({ cursorSeq: 1203, failingSince: null });
  await second.close();
});

test("a stream that is down loses nothing, says since when, and is tried less and less often", async () => {
  const { grow, open, sent, sender, stored, clock } = await aLog();
  const outlets = open();
  sender.failure = unavailable;
  await outlets.flush();
  const failed = await stored();
  expect(failed).toMatchObject({ cursorSeq: 0, lastError: unavailable.message });
  expect(failed?.failingSince).not.toBeNull();
  await grow(3);
  sender.failure = null;
  await outlets.flush();
  expect(sent()).toEqual([]); // Not before its time.
  clock.advanceMs(5_000);
  await outlets.flush();
  expect(sent()).toEqual(numbers(1, 4));
  expect(await stored()).toMatchObject({ cursorSeq: 4, failingSince: null, lastError: null });
  await outlets.close();
});

test("one that fails keeps no other waiting", async () => {
  const { store, row, open, sender } = await aLog();
  const other = { ...row, id: newId(), name: "other" };
  await store.transaction((tx) => insertOutlet(tx, other));
  const failing = sender.sendEntries.bind(sender);
  sender.sendEntries = async (outlet, lines) => {
    if (outlet.id === row.id) throw unavailable;
    await failing(outlet, lines);
  };
  const outlets = open();
  await outlets.flush();
  expect(sender.entries).toEqual([[other.id, [1]]]);
  await outlets.close();
});

test("one that takes its time, and never has all, keeps no other waiting", async () => {
  const { store, row, grow, open, sender, clock } = await aLog();
  const other = { ...row, id: newId(), name: "other" };
  await store.transaction((tx) => insertOutlet(tx, other));
  const got = Promise.withResolvers<void>();
  sender.sendEntries = async ({ id }, lines) => {
    if (id === other.id && lines.some(({ seq }) => seq >= 5)) got.resolve();
    if (id !== row.id) return;
    clock.advanceMs(9_000);
    await grow(1);
  };
  const outlets = open();
  void outlets.flush();
  await got.promise;
  await outlets.close();
});

test("a stream that was ended gets everything through the entry that says so, and is gone", async () => {
  const { store, grow, open, sent, stored, row } = await aLog();
  await grow(5);
  await store.transaction((tx) => updateOutlet(tx, row.id, { endsAtSeq: 4, endedAt: 0 }));
  const outlets = open();
  await outlets.flush();
  expect(sent()).toEqual(numbers(1, 4));
  expect(await stored()).toBeUndefined();
  await outlets.close();
});

test("one that was ended and cannot be reached is given up after an hour", async () => {
  const { store, open, sender, stored, row, clock } = await aLog();
  const endedAt = Math.floor(clock.nowMs() / 1000);
  await store.transaction((tx) => updateOutlet(tx, row.id, { endsAtSeq: 1, endedAt }));
  sender.failure = unavailable;
  const outlets = open();
  await outlets.flush();
  expect(await stored()).toBeDefined();
  clock.advanceMs(3_700_000);
  await outlets.flush();
  expect(await stored()).toBeUndefined();
  await outlets.close();
});

test("a channel gets notices of its topics, each once, and no old news", async () => {
  const topics = ["policy_change" as const];
  const { grow, open, sender, stored, clock } = await aLog({ purpose: "notices", topics });
  await grow(1, "policy.update");
  const outlets = open();
  sender.failure = unavailable;
  await outlets.flush();
  sender.failure = null;
  clock.advanceMs(10_000);
  await outlets.flush();
  expect(sender.notices).toEqual(["system: policy update"]);
  await grow(1, "policy.update");
  clock.advanceMs(2 * 86_400_000);
  await outlets.flush();
  expect([sender.notices.length, (await stored())?.cursorSeq]).toEqual([1, 3]);
  await outlets.close();
});

test("a channel without the topic gets nothing", async () => {
  const { grow, open, sender } = await aLog({ purpose: "notices", topics: ["new_device"] });
  await grow(3, "policy.update");
  const outlets = open();
  await outlets.flush();
  expect(sender.notices).toEqual([]);
  await outlets.close();
});

test("news wake it", async () => {
  const { grow, open, sender } = await aLog();
  const outlets = open();
  const got = Promise.withResolvers<void>();
  const send = sender.sendEntries.bind(sender);
  sender.sendEntries = async (outlet, lines) => {
    await send(outlet, lines);
    if (lines.some(({ seq }) => seq === 2)) got.resolve();
  };
  outlets.start();
  await grow(1);
  await got.promise;
  await outlets.close();
});

test("news of one account have nobody looked at but its own", async () => {
  const { store, logs, row, grow, open, sender } = await aLog();
  const { accountId } = await anAccount(store, "other@example.com");
  await logs.begin(accountId);
  const theirs = { ...row, id: newId(), accountId };
  await store.transaction((tx) => insertOutlet(tx, theirs));
  const outlets = open();
  await outlets.flush();
  sender.entries.length = 0;
  await grow(1);
  await addEvents(store, accountId, 1, "login");
  await outlets.flush([accountId]);
  expect(sender.entries.map(([id]) => id)).toEqual([theirs.id]);
  await outlets.flush();
  expect(sender.entries.map(([id]) => id)).toEqual([theirs.id, row.id]);
  await outlets.close();
});
