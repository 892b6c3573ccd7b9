import { expect, test } from "bun:test";
import { BundleVerifier } from "../../../src/log/verify-bundle.ts";
import { deleteAccount, updateAccount } from "../../../src/management/db/tables/accounts.ts";
import {
  appendEvents,
  countEvents,
  listEventRange,
  systemInitiator,
} from "../../../src/management/db/tables/audit-events.ts";
import { findHead } from "../../../src/management/db/tables/log-tree.ts";
import { bundleHeader, bundleLines } from "../../../src/management/log/bundle.ts";
import { forgetGoneAccounts, keepRetention } from "../../../src/management/log/retention.ts";
import { aManagement, anAccount, aPeerOf } from "../../support/management.ts";

const DAY_MS = 86_400_000;

async function aLog() {
  const management = aManagement();
  const { store, clock, logs } = management;
  const { accountId } = await anAccount(store);
  await logs.begin(accountId);
  const grow = (count: number) =>
    store.transaction((tx) => {
      const events = Array.from({ length: count }, () => ({ activity: "login" as const, targetId: "" }));
      return appendEvents(tx, accountId, systemInitiator, events);
    });
  await grow(40);
  const peer = await aPeerOf(store, accountId);
  await grow(5);
  const verified = async () => {
    const verifier = new BundleVerifier({ keys: await logs.keys(accountId), checkpoints: [] });
    verifier.line(JSON.stringify(await bundleHeader(management, accountId, {})));
    const { lines } = await store.read((tx) => bundleLines(tx, accountId, { after: 0, limit: 5_000 }));
    for (const { line } of lines) verifier.line(line);
    return verifier.end();
  };
  return { management, store, clock, logs, accountId, grow, peer, verified };
}

test("what is older than a year goes, what is younger stays, and the log verifies", async () => {
  const { store, clock, logs, accountId, grow, verified } = await aLog();
  clock.advanceMs(366 * DAY_MS);
  await grow(10);
  await logs.checkpoint(accountId);
  expect(await keepRetention(store, accountId)).toBe(47);
  const left = await store.read((tx) => listEventRange(tx, accountId, 1, 1_000));
  expect(left.map(({ activity }) => activity)).toEqual([
    "peer.key",
    ...Array.from({ length: 10 }, () => "login" as const),
    "log.prune",
  ]);
  expect(await verified()).toMatchObject({ findings: [], entries: 12, pruned: 46 });
  expect(await store.read((tx) => countEvents(tx, accountId))).toEqual({ first: 48, total: 11 });
});

test("the setting says how long", async () => {
  const { store, clock, logs, accountId, verified } = await aLog();
  clock.advanceMs(20 * DAY_MS);
  await logs.checkpoint(accountId);
  expect(await keepRetention(store, accountId)).toBe(0);
  const settings = { audit_retention_days: 10 } as Parameters<typeof updateAccount>[2]["settings"];
  await store.transaction((tx) => updateAccount(tx, accountId, settings === undefined ? {} : { settings }));
  expect(await keepRetention(store, accountId)).toBe(47);
  expect(await keepRetention(store, accountId)).toBe(0);
  expect((await verified()).findings).toEqual([]);
});

test("what no checkpoint covers stays, however old it is", async () => {
  const { store, clock, accountId } = await aLog();
  clock.advanceMs(400 * DAY_MS);
  expect(await keepRetention(store, accountId)).toBe(0);
  expect((await store.read((tx) => findHead(tx, accountId)))?.prunedThrough).toBe(0);
});

test("more than one step is taken where there is more to remove", async () => {
  const { store, clock, logs, accountId, grow, verified } = await aLog();
  await grow(4_100);
  clock.advanceMs(400 * DAY_MS);
  await logs.checkpoint(accountId);
  expect(await keepRetention(store, accountId)).toBe(4_147);
  expect((await verified()).findings).toMatchObject([]);
});

test("what a deleted account has left goes after a year; another account's stays", async () => {
  const { store, clock, logs, accountId } = await aLog();
  const { accountId: other } = await anAccount(store, "other@example.com");
  await logs.begin(other);
  const session = (account: string) => ({
    ...{ accountId: account, connectionId: account, peerId: "p", userId: "u", userName: "", machineName: "" },
    ...{ localUser: "", path: "direct" as const, sourceAddress: "", clientVersion: "", offline: false },
    openedAtMs: clock.nowMs(),
  });
  const left = async () => {
    const { events, sessions } = await store.read(async (tx) => ({
      events: await tx.sql.select().from(tx.t.auditEvents),
      sessions: await tx.sql.select().from(tx.t.sshSessions),
    }));
    return [...events, ...sessions].map((row) => row.accountId);
  };
  await store.transaction(async (tx) => {
    for (const account of [accountId, other]) await tx.sql.insert(tx.t.sshSessions).values(session(account));
    await deleteAccount(tx, accountId);
  });
  clock.advanceMs(365 * DAY_MS);
  await forgetGoneAccounts(store);
  expect(await left()).toContain(accountId);
  clock.advanceMs(1);
  await forgetGoneAccounts(store);
  const after = await left();
  expect(after).not.toContain(accountId);
  expect(after).toContain(other);
});
