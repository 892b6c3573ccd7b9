import { expect, test } from "bun:test";
import {
  findCheckpoint,
  insertCheckpoint,
  listCheckpoints,
} from "../../../../src/management/db/tables/log-checkpoints.ts";
import { aManagement } from "../../../support/management.ts";

const accountId = "d34hgk3f9s8d7f6g5h4j";

test("the largest is found, and one for each size is all there can be", async () => {
  const { store } = aManagement();
  const insert = (size: number) =>
    store.transaction((tx) => insertCheckpoint(tx, { accountId, size, madeAtMs: 1, note: `note ${size}` }));
  expect(await store.read((tx) => findCheckpoint(tx, accountId))).toBeUndefined();
  for (const size of [3, 10, 7]) await insert(size);
  expect((await store.read((tx) => findCheckpoint(tx, accountId)))?.size).toBe(10);
  expect((await store.read((tx) => findCheckpoint(tx, accountId, 9)))?.size).toBe(7);
  await expect(insert(7)).rejects.toThrow();
});

test("few are listed of many, spread over all", async () => {
  const { store } = aManagement();
  await store.transaction(async (tx) => {
    for (let size = 1; size <= 200; size++)
      await insertCheckpoint(tx, { accountId, size, madeAtMs: 1, note: "" });
  });
  const sizes = (await store.read((tx) => listCheckpoints(tx, accountId, 11, 200))).map(({ size }) => size);
  expect(sizes.length).toBeLessThanOrEqual(64);
  expect(sizes[0]).toBe(11);
  expect(sizes.at(-1)).toBeGreaterThan(190);
  expect(await store.read((tx) => listCheckpoints(tx, accountId, 300, 400))).toEqual([]);
});
