import { expect, test } from "bun:test";
import { newId } from "../../../../src/base/random.ts";
import { listEvents } from "../../../../src/management/db/tables/audit-events.ts";
import { findPeer, updatePeer } from "../../../../src/management/db/tables/peers.ts";
import { endVouch, listVouched, markByAccess } from "../../../../src/management/db/tables/vouches.ts";
import { aManagement, anAccount, aPeerOf } from "../../../support/management.ts";

const vouch = () => ({ uid: 1000, at: 1, loginId: newId(), byAccess: false });

test("a vouch ends once, with one event, and what was given since stands", async () => {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  const machine = await aPeerOf(store, accountId, { name: "web1" });
  const first = await aPeerOf(store, accountId, {
    ...{ kind: "device", name: "laptop", deviceKey: "d".repeat(43) },
    vouchedByPeerId: machine.id,
    vouch: vouch(),
  });
  const now = () => store.read((tx) => findPeer(tx, accountId, first.id));
  const listed = async () => (await store.read((tx) => listVouched(tx, accountId))).map(({ id }) => id);
  expect(await listed()).toEqual([first.id]);

  const renewed = vouch();
  await store.transaction((tx) => updatePeer(tx, accountId, first.id, { vouch: renewed }));
  expect(await store.transaction((tx) => endVouch(tx, first, "access_over"))).toBe(false);
  await store.transaction((tx) => markByAccess(tx, first));
  const second = await now();
  expect(second?.vouch).toEqual(renewed);
  if (second === undefined) throw new Error("no device");

  await store.transaction((tx) => markByAccess(tx, second));
  expect((await now())?.vouch?.byAccess).toBe(true);
  expect(await store.transaction((tx) => endVouch(tx, second, "access_over"))).toBe(true);
  expect(await store.transaction((tx) => endVouch(tx, second, "access_over"))).toBe(false);
  expect(await listed()).toEqual([]);
  const events = await store.read((tx) => listEvents(tx, accountId, { limit: 10 }));
  const ends = events.filter(({ activity }) => activity === "peer.vouch.end");
  expect(ends.map(({ meta }) => meta)).toMatchObject([
    { machine: machine.id, why: "access_over", uid: "1000" },
  ]);
});
