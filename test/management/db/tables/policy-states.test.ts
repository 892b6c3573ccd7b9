import { expect, test } from "bun:test";
import {
  addPolicyState,
  countPolicyStates,
  listPolicyStates,
} from "../../../../src/management/db/tables/policy-states.ts";
import { aManagement, anAccount } from "../../../support/management.ts";

const STATE = { policies: [], groups: [], tests: [] };

test("the newest 100 states are kept, and fewer where they are large, but always the newest", async () => {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  const by = { at: 1, userId: "u", userName: "ada", via: "api" as const, reason: "", changes: null };
  const add = (number: number, bytes: number) =>
    store.transaction((tx) => addPolicyState(tx, { accountId, number, state: STATE, bytes, ...by }));
  const kept = () => store.read((tx) => listPolicyStates(tx, accountId, { limit: 1_000 }));
  for (let number = 1; number <= 102; number++) await add(number, 10);
  expect((await kept()).map(({ number }) => number)).toEqual(Array.from({ length: 100 }, (_, i) => 102 - i));
  await add(103, 32 * 1024 * 1024 - 20);
  expect((await kept()).map(({ number }) => number)).toEqual([103, 102, 101]);
  await add(104, 64 * 1024 * 1024);
  expect((await kept()).map(({ number }) => number)).toEqual([104]);
  expect(await store.read((tx) => countPolicyStates(tx, accountId))).toEqual({ kept: 1, newest: 104 });
});

test("states of another account are neither listed nor deleted", async () => {
  const { store } = aManagement();
  const [one, other] = [await anAccount(store), await anAccount(store, "eve@example.com")];
  const row = {
    state: STATE,
    bytes: 64 * 1024 * 1024,
    at: 1,
    userId: "",
    userName: "",
    via: "api" as const,
    reason: "",
    changes: null,
  };
  for (const { accountId } of [one, other]) {
    await store.transaction((tx) => addPolicyState(tx, { ...row, accountId, number: 1 }));
  }
  await store.transaction((tx) => addPolicyState(tx, { ...row, accountId: one.accountId, number: 2 }));
  const listed = await store.read((tx) => listPolicyStates(tx, other.accountId, { limit: 9, before: 5 }));
  expect(listed.map(({ number }) => number)).toEqual([1]);
});
