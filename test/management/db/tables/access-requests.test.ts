import { expect, test } from "bun:test";
import {
  countWaiting,
  findAccessRequest,
  insertAccessRequest,
  listAccessRequests,
  listApproved,
  stepAccessRequest,
} from "../../../../src/management/db/tables/access-requests.ts";
import { anAccessRequest } from "../../../support/access-request.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, aUserOf } from "../../../support/management.ts";

test("requests are found by account, state and machine, and step once", async () => {
  const { management, accountId } = await TestApi.open();
  const { store } = management;
  const { id: userId } = await aUserOf(store, accountId);
  const { id: machinePeerId } = await aPeerOf(store, accountId, { name: "web1" });
  const waiting = anAccessRequest({ accountId, userId, state: "waiting", createdAt: 1 });
  const approved = anAccessRequest({ accountId, userId, kind: "machine", machinePeerId, createdAt: 2 });
  await store.transaction(async (tx) => {
    for (const row of [waiting, approved]) await insertAccessRequest(tx, row);
  });
  const seen = await store.read(async (tx) => ({
    newestFirst: (await listAccessRequests(tx, accountId, { limit: 5 })).map(({ id }) => id),
    waiting: await countWaiting(tx, accountId, userId),
    there: (await listApproved(tx, accountId, [machinePeerId])).map(({ id }) => id),
    elsewhere: await listApproved(tx, accountId, ["other"]),
    foreign: await findAccessRequest(tx, "other", waiting.id),
  }));
  expect(seen).toEqual({
    ...{ newestFirst: [approved.id, waiting.id], waiting: 1, there: [approved.id] },
    ...{ elsewhere: [], foreign: undefined },
  });
  const step = () =>
    store.transaction((tx) => stepAccessRequest(tx, waiting.id, "waiting", { state: "denied" }));
  expect([await step(), await step()]).toEqual([true, false]);
});
