import { beforeEach, expect, test } from "bun:test";
import { newId } from "../../../../src/base/random.ts";
import type { Store } from "../../../../src/management/db/store.ts";
import { deletePolicy, type PolicyRow, putPolicy } from "../../../../src/management/db/tables/policies.ts";
import { listRuleUses, noteRuleUses } from "../../../../src/management/db/tables/rule-uses.ts";
import { aManagement, anAccount } from "../../../support/management.ts";

let store: Store;
let accountId: string;
let policy: PolicyRow;
const body = {
  ...{ name: "r", enabled: true, bidirectional: false },
  ...{ action: "accept" as const, protocol: "qufabric-ssh" as const },
};
const [one, other] = [newId(), newId()];

beforeEach(async () => {
  ({ store } = aManagement());
  ({ accountId } = await anAccount(store));
  policy = {
    ...{ id: newId(), accountId, name: "p", description: null, enabled: true },
    ...{ sourcePostureChecks: [], createdAt: 1, updatedAt: 1 },
  };
  await put([one, other]);
});

const put = (ids: readonly string[]) =>
  store.transaction((tx) => {
    const of = { accountId, policyId: policy.id, body };
    return putPolicy(
      tx,
      policy,
      ids.map((id, position) => ({ id, position, ...of })),
    );
  });
const note = (id: string, at: number) =>
  store.transaction((tx) => noteRuleUses(tx, accountId, new Map([[id, at]])));
const known = async () => {
  const rows = await store.read((tx) => listRuleUses(tx, accountId));
  return Object.fromEntries(rows.map(({ ruleId, lastAt }) => [ruleId, lastAt]));
};

test("the last decision of a rule is kept; one within a minute of it, or older, writes nothing", async () => {
  await note(one, 1_000);
  expect(await known()).toEqual({ [one]: 1_000 });
  await note(one, 1_059);
  await note(one, 10);
  expect(await known()).toEqual({ [one]: 1_000 });
  await note(one, 1_060);
  expect(await known()).toEqual({ [one]: 1_060 });
});

test("what is not a rule of the account is ignored", async () => {
  await note(newId(), 1_000);
  const eve = await anAccount(store, "eve@example.com");
  await store.transaction((tx) => noteRuleUses(tx, eve.accountId, new Map([[one, 2_000]])));
  expect(await known()).toEqual({});
  expect(await store.read((tx) => listRuleUses(tx, eve.accountId))).toEqual([]);
});

test("saving a policy keeps the uses of rules that it keeps; deleting it forgets them all", async () => {
  await note(one, 1_000);
  await note(other, 2_000);
  await put([other]);
  expect(await known()).toEqual({ [other]: 2_000 });
  await store.transaction((tx) => deletePolicy(tx, accountId, policy.id));
  expect(await known()).toEqual({});
});
