import { expect, test } from "bun:test";
import { findAccount, updateAccount } from "../../../../src/management/db/tables/accounts.ts";
import { freeAddress } from "../../../../src/management/db/tables/addresses.ts";
import { isOverlayRange } from "../../../../src/wire/overlay-range.ts";
import { aManagement, anAccount, aPeerOf } from "../../../support/management.ts";

const withRange = async (range: string | undefined) => {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  await store.transaction(async (tx) => {
    const account = await findAccount(tx, accountId);
    if (account === undefined || range === undefined) return;
    await updateAccount(tx, accountId, { settings: { ...account.settings, network_range: range } });
  });
  const addresses = () =>
    store.read((tx) => Promise.all(Array.from({ length: 200 }, () => freeAddress(tx, accountId))));
  return { store, accountId, addresses };
};

test.each([
  [undefined, /^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+$/],
  ["100.100.0.0/16", /^100\.100\.\d+\.\d+$/],
  ["100.64.8.0/22", /^100\.64\.(?:8|9|10|11)\.\d+$/],
  ["100.127.3.77/24", /^100\.127\.3\.\d+$/],
])("out of the range %p come addresses like %p", async (range, shape) => {
  const { addresses } = await withRange(range);
  for (const address of await addresses()) {
    expect(address).toMatch(shape);
    expect(isOverlayRange(`${address}/24`)).toBe(true);
    expect(address).not.toMatch(/\.(?:0|255)$|^100\.100\.100\.100$/);
  }
});

test("an address is given once", async () => {
  const { store, accountId } = await withRange("100.64.1.0/24");
  const given = new Set<string>();
  for (let i = 0; i < 150; i++) given.add((await aPeerOf(store, accountId, { name: `m${i}` })).address);
  expect(given.size).toBe(150);
});
