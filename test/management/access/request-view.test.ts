import { expect, test } from "bun:test";
import { newId } from "../../../src/base/random.ts";
import { recordRequest } from "../../../src/management/access/request-events.ts";
import { seeRequests } from "../../../src/management/access/request-view.ts";
import { insertAccessRequest } from "../../../src/management/db/tables/access-requests.ts";
import { systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import { insertGroup } from "../../../src/management/db/tables/groups.ts";
import { anAccessRequest } from "../../support/access-request.ts";
import { TestApi } from "../../support/admin-api.ts";
import { aPeerOf, aUserOf } from "../../support/management.ts";

test("events and answers of a request have the names of all that it is about", async () => {
  const api = await TestApi.open();
  const { accountId } = api;
  const { store } = api.management;
  const ada = await aUserOf(store, accountId, { name: "ada" });
  const machine = await aPeerOf(store, accountId, { name: "web1" });
  const device = await aPeerOf(store, accountId, { name: "laptop", kind: "device", owner: ada });
  const about = { machinePeerId: machine.id, devicePeerId: device.id, localUser: "deploy" };
  const row = anAccessRequest({ accountId, userId: ada.id, kind: "machine", ...about });
  await store.change({ accountId, initiator: systemInitiator }, async (tx) => {
    await insertAccessRequest(tx, row);
    await recordRequest(tx, "access.end", row, { cause: "time" });
  });
  const { body } = await api.call("GET", "/api/events/audit?activity=access.end");
  expect(body).toMatchObject([
    {
      target_id: machine.id,
      meta: {
        ...{ user: "ada", machine: "web1", device: "laptop", local_user: "deploy", request: row.id },
        ...{ access_reason: "a repair", cause: "time" },
      },
    },
  ]);
  const view = { caller: ada, origin: "https://qf.test" };
  const [seen] = await store.read((tx) => seeRequests(tx, [row], view));
  expect(seen?.answer).toMatchObject({
    ...{ machine: { name: "web1" }, device: { name: "laptop" }, is_own: true, may_decide: false },
    ...{ may_end: true, url: `https://qf.test/requests/${row.id}` },
  });
});

test("the digest of a request changes with what it is about, and not with its state", async () => {
  const { accountId, management } = await TestApi.open();
  const { store } = management;
  const ada = await aUserOf(store, accountId, { name: "ada" });
  const row = anAccessRequest({ accountId, userId: ada.id });
  const rows = [row, { ...row, state: "waiting" as const }, { ...row, reason: "another" }];
  const seen = await store.read((tx) => seeRequests(tx, rows, { caller: ada, origin: "" }));
  const [one, same, other] = seen.map(({ answer }) => answer.digest);
  expect(same).toBe(one ?? "");
  expect(other).not.toBe(one);
});

test("what decides about groups is read once for all requests", async () => {
  const { accountId, management } = await TestApi.open();
  const { store } = management;
  const ada = await aUserOf(store, accountId, { name: "ada" });
  const settings = { requestable: true };
  const group = { id: newId(), accountId, name: "on-call", isAll: false, createdAt: 1, settings };
  const rows = [1, 2, 3].map(() =>
    anAccessRequest({ accountId, userId: ada.id, kind: "group", groupId: group.id }),
  );
  await store.transaction((tx) => insertGroup(tx, group));
  let reads = 0;
  const seen = await store.read((tx) => {
    const t = {
      ...tx.t,
      get policies() {
        reads += 1;
        return tx.t.policies;
      },
    };
    const counted = { sql: tx.sql, clock: tx.clock, t };
    return seeRequests(counted, rows, { caller: ada, origin: "" });
  });
  expect(seen).toHaveLength(3);
  expect(reads).toBe(1);
});
