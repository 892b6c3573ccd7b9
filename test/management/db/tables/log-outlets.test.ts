import { expect, test } from "bun:test";
import {
  advanceOutlet,
  failOutlet,
  findOutlet,
  insertOutlet,
  leaseOutlet,
  type OutletRow,
  releaseOutlets,
} from "../../../../src/management/db/tables/log-outlets.ts";
import { aManagement, anAccount } from "../../../support/management.ts";

async function anOutlet() {
  const { store, clock } = aManagement();
  const { accountId } = await anAccount(store);
  const row: OutletRow = {
    ...{ id: "outlet00000000000000", accountId, purpose: "stream", name: "s", enabled: true, topics: [] },
    target: { type: "webhook", url: "https://hook.example.com/" },
    ...{ secret: null, cursorSeq: 0, endsAtSeq: null, endedAt: null, failingSince: null, lastError: null },
    ...{ lastDeliveredAt: null, leaseBy: null, leaseUntilMs: 0, createdAt: 0 },
  };
  await store.transaction((tx) => insertOutlet(tx, row));
  const found = () => store.read((tx) => findOutlet(tx, accountId, row.id));
  return { store, clock, row, found };
}

test("one process delivers at a time, until it gives that back or is gone for long", async () => {
  const { store, clock, row } = await anOutlet();
  const lease = (by: string) => store.transaction((tx) => leaseOutlet(tx, row.id, { by, forMs: 60_000 }));
  expect([await lease("one"), await lease("two"), await lease("one")]).toEqual([true, false, true]);
  await store.transaction((tx) => releaseOutlets(tx, "one"));
  expect(await lease("two")).toBe(true);
  clock.advanceMs(60_001);
  expect(await lease("one")).toBe(true);
});

test("an outlet never goes back, and a delivery ends its failure", async () => {
  const { store, row, found } = await anOutlet();
  await store.transaction((tx) => failOutlet(tx, row, "it is away"));
  expect(await found()).toMatchObject({ lastError: "it is away" });
  for (const seq of [7, 3]) {
    await store.transaction((tx) => advanceOutlet(tx, row.id, { seq, isDelivery: true }));
  }
  expect(await found()).toMatchObject({ cursorSeq: 7, failingSince: null, lastError: null });
});

test("what is only read over is no delivery", async () => {
  const { store, row, found } = await anOutlet();
  await store.transaction((tx) => failOutlet(tx, row, "it is away"));
  await store.transaction((tx) => advanceOutlet(tx, row.id, { seq: 7, isDelivery: false }));
  expect(await found()).toMatchObject({ cursorSeq: 7, lastError: "it is away", lastDeliveredAt: null });
});
