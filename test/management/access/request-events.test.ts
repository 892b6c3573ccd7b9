import { expect, test } from "bun:test";
import { recordRequest } from "../../../src/management/access/request-events.ts";
import { systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import { anAccessRequest } from "../../support/access-request.ts";
import { TestApi } from "../../support/admin-api.ts";
import { aUserOf } from "../../support/management.ts";

test.each([
  ["access.request", []],
  ["access.approve", ["user.group.add"]],
  ["access.deny", []],
  ["access.cancel", []],
  ["access.expire", []],
  ["access.end", ["user.group.delete"]],
] as const)("%s of a group is told, and beside it %j", async (activity, beside) => {
  const api = await TestApi.open();
  const { accountId } = api;
  const { store } = api.management;
  const ada = await aUserOf(store, accountId, { name: "ada" });
  const groupId = await api.aGroup("ops");
  const row = anAccessRequest({ accountId, userId: ada.id, groupId });
  const before = (await api.activities()).length;
  await store.change({ accountId, initiator: systemInitiator }, (tx) => recordRequest(tx, activity, row));
  expect((await api.activities()).slice(before)).toEqual([activity, ...beside]);
});
