import { expect, test } from "bun:test";
import {
  daysKept,
  noteRetention,
  type RetentionField,
} from "../../../../src/management/db/tables/shortened-retention.ts";
import { aManagement, anAccount } from "../../../support/management.ts";

const DAY_MS = 86_400_000;

async function aRetention() {
  const { store, clock } = aManagement();
  const { accountId } = await anAccount(store);
  const set = (before: number, after: number, field: RetentionField = "audit_retention_days") =>
    store.transaction((tx) => noteRetention(tx, { accountId, field }, { before, after }));
  const kept = (days: number, field: RetentionField = "audit_retention_days") =>
    store.read((tx) => daysKept(tx, { accountId, field }, days));
  return { clock, set, kept };
}

test("a shorter time counts a week after it was set, and of the other setting nothing changes", async () => {
  const { clock, set, kept } = await aRetention();
  await set(365, 1);
  expect([await kept(1), await kept(90, "recording_retention_days")]).toEqual([365, 90]);
  clock.advanceMs(7 * DAY_MS - 1_000);
  expect(await kept(1)).toBe(365);
  clock.advanceMs(1_000);
  expect(await kept(1)).toBe(1);
});

test("a shorter time still counts no sooner, and a longer one at once", async () => {
  const { clock, set, kept } = await aRetention();
  await set(365, 100);
  clock.advanceMs(5 * DAY_MS);
  await set(100, 1);
  clock.advanceMs(5 * DAY_MS);
  expect(await kept(1)).toBe(365);
  await set(1, 730);
  expect(await kept(730)).toBe(730);
  clock.advanceMs(2 * DAY_MS);
  expect(await kept(1)).toBe(1);
});
