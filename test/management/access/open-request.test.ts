import { expect, test } from "bun:test";
import { openGroupRequest } from "../../../src/management/access/open-request.ts";
import { systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import { TestApi } from "../../support/admin-api.ts";
import { aUserOf } from "../../support/management.ts";

test("a request is opened for the longest time there is, and found again while it waits", async () => {
  const api = await TestApi.open();
  const { store, clock } = api.management;
  const ada = await aUserOf(store, api.accountId);
  const { body } = await api.call("POST", "/api/groups", { name: "ops", requestable: true });
  const open = () =>
    store.change({ accountId: api.accountId, initiator: systemInitiator }, (tx) =>
      openGroupRequest(tx, ada, { groupId: body.id, reason: "on call", seconds: undefined }),
    );
  const first = await open();
  expect(first).toMatchObject({ state: "waiting", seconds: 28_800, groupId: body.id });
  expect((await open()).id).toBe(first.id);
  // One that has expired waits for nobody, whether that is noted yet or not.
  clock.advanceMs(86_400_000);
  expect((await open()).id).not.toBe(first.id);
});
