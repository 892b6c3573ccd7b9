import { expect, test } from "bun:test";
import { updatePeer } from "../../../src/management/db/tables/peers.ts";
import { rolloutMachines } from "../../../src/management/rollouts/rollout-machines.ts";
import { TestApi } from "../../support/admin-api.ts";
import { aPeerOf } from "../../support/management.ts";

test("machines of the group take part, devices and blocked machines do not, in an order of each rollout's own", async () => {
  const api = await TestApi.open();
  const { store } = api.management;
  const { accountId } = api;
  const names = ["a", "b", "c", "d", "e", "f"];
  const ids: string[] = [];
  for (const name of names) ids.push((await aPeerOf(store, accountId, { name })).id);
  const [first = "", second = "", blocked = ""] = ids;
  await aPeerOf(store, accountId, { name: "laptop", kind: "device" });
  await store.transaction((tx) => updatePeer(tx, accountId, blocked, { status: "blocked" }));
  const group = await api.aGroup("Staging", [first, blocked]);
  const of = (groupId: string | null, id = "rollout0000000000000") =>
    store.read((tx) => rolloutMachines(tx, { id, accountId, groupId }, (peerId) => peerId === second));
  const all = await of(null);
  expect(all.map(({ name }) => name).sort()).toEqual(["a", "b", "d", "e", "f"]);
  expect((await of(await api.groupAll())).map(({ name }) => name)).toEqual(all.map(({ name }) => name));
  expect((await of(group)).map(({ name }) => name)).toEqual(["a"]);
  expect(await of("group000000000000000")).toEqual([]);
  expect(all.filter(({ isConnected }) => isConnected).map(({ peerId }) => peerId)).toEqual([second]);
  const orders = await Promise.all(Array.from({ length: 20 }, (_, i) => of(null, `rollout${i}`)));
  expect(new Set(orders.map(([one]) => one?.peerId)).size).toBeGreaterThan(1);
});
