import { expect, test } from "bun:test";
import {
  decideRequest,
  endApprovedBy,
  endChangedApprovals,
} from "../../../src/management/access/decide-request.ts";
import {
  type AccessRequestRow,
  insertAccessRequest,
  listAccessRequests,
} from "../../../src/management/db/tables/access-requests.ts";
import { systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import { anAccessRequest } from "../../support/access-request.ts";
import { TestApi } from "../../support/admin-api.ts";
import { aUserOf } from "../../support/management.ts";

async function scene() {
  const { management, accountId } = await TestApi.open();
  const { store } = management;
  const ada = await aUserOf(store, accountId, { name: "ada" });
  const admin = await aUserOf(store, accountId, { name: "admin", role: "admin" });
  const change = <T>(fn: Parameters<typeof store.change<T>>[1]) =>
    store.change({ accountId, initiator: systemInitiator }, fn);
  const insert = async (more: Partial<AccessRequestRow>): Promise<AccessRequestRow> => {
    const row = anAccessRequest({ accountId, userId: ada.id, ...more });
    await store.transaction((tx) => insertAccessRequest(tx, row));
    return row;
  };
  const states = async () =>
    (await store.read((tx) => listAccessRequests(tx, accountId, { limit: 10 }))).map(({ state }) => state);
  return { store, accountId, ada, admin, change, insert, states };
}

test("what is gone can be denied, and not approved", async () => {
  const { change, insert, admin, states } = await scene();
  const row = await insert({ kind: "machine", ruleId: "gone", state: "waiting", waitsUntil: 4e9 });
  const decide = (decision: "approve" | "deny") =>
    change((tx) => decideRequest(tx, row, { actor: admin, decision, seconds: undefined, note: undefined }));
  await expect(decide("approve")).rejects.toMatchObject({ code: "ERR_CONFLICT" });
  expect(await states()).toEqual(["waiting"]);
  await decide("deny");
  expect(await states()).toEqual(["denied"]);
});

test("ends of an approver's and of a rule's approvals leave others", async () => {
  const { change, insert, ada, admin, accountId, states } = await scene();
  await insert({ decidedBy: admin.id });
  await insert({ decidedBy: ada.id });
  await change((tx) => endApprovedBy(tx, admin));
  expect((await states()).sort()).toEqual(["approved", "ended"]);
  await insert({ kind: "machine", ruleId: "gone", decidedBy: ada.id });
  await change((tx) => endChangedApprovals(tx, accountId));
  expect((await states()).sort()).toEqual(["approved", "ended", "ended"]);
});
