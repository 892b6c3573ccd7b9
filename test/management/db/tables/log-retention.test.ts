import { expect, test } from "bun:test";
import { pruneBodies } from "../../../../src/management/db/tables/log-retention.ts";
import { aManagement, anAccount } from "../../../support/management.ts";

test("an account whose log has not begun, or has no checkpoint, keeps everything", async () => {
  const { store, logs } = aManagement();
  const { accountId } = await anAccount(store);
  const prune = () => store.transaction((tx) => pruneBodies(tx, accountId, Number.MAX_SAFE_INTEGER));
  expect(await prune()).toBeUndefined();
  await logs.begin(accountId);
  expect(await prune()).toBeUndefined();
  await logs.checkpoint(accountId);
  expect(await prune()).toEqual({ through: 1, isMore: false });
  expect(await prune()).toBeUndefined();
});
