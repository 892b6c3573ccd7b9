import { expect, test } from "bun:test";
import { endOverdue, forgetRequestsOver } from "../../../src/management/access/access-ends.ts";
import { findAccessRequest, insertAccessRequest } from "../../../src/management/db/tables/access-requests.ts";
import { anAccessRequest } from "../../support/access-request.ts";
import { TestApi } from "../../support/admin-api.ts";
import { aUserOf } from "../../support/management.ts";

test("what is over by time ends once, and is forgotten after 90 days", async () => {
  const { management, accountId } = await TestApi.open();
  const { store, clock } = management;
  const now = Math.floor(clock.nowMs() / 1_000);
  const { id: userId } = await aUserOf(store, accountId);
  const about = { accountId, userId, waitsUntil: now + 10 };
  const waiting = anAccessRequest({ ...about, state: "waiting", endsAt: null });
  const approved = anAccessRequest({ ...about, endsAt: now + 10 });
  const later = anAccessRequest({ ...about, endsAt: now + 11 });
  const all = [waiting, approved, later];
  await store.transaction(async (tx) => {
    for (const row of all) await insertAccessRequest(tx, row);
  });
  const states = () =>
    store.read((tx) =>
      Promise.all(all.map(async ({ id }) => (await findAccessRequest(tx, accountId, id))?.state ?? "gone")),
    );
  clock.advanceMs(9_000);
  await endOverdue(management);
  expect(await states()).toEqual(["waiting", "approved", "approved"]);
  clock.advanceMs(1_000);
  await endOverdue(management);
  expect(await states()).toEqual(["expired", "ended", "approved"]);
  clock.advanceMs(91 * 86_400_000);
  await store.transaction(forgetRequestsOver);
  expect(await states()).toEqual(["gone", "gone", "approved"]);
});
