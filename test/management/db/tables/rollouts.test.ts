import { expect, test } from "bun:test";
import {
  deleteFailedSteps,
  findOpenRollout,
  insertRollout,
  insertRolloutSteps,
  listRolloutSteps,
  listRunningRollouts,
  type RolloutRow,
  stepRollout,
  stepRolloutMachine,
} from "../../../../src/management/db/tables/rollouts.ts";
import { aManagement, anAccount, aPeerOf } from "../../../support/management.ts";

async function aRollout() {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  const row: RolloutRow = {
    ...{
      id: "rollout0000000000000",
      accountId,
      version: "1.2.0",
      groupId: null,
      stages: [10, 100],
      stage: 0,
    },
    ...{ settledAt: null, pauseSeconds: 60, failuresMax: 0, state: "running", why: "" },
    ...{ createdAt: 1, endedAt: null },
  };
  await store.transaction((tx) => insertRollout(tx, row));
  const { id: peerId } = await aPeerOf(store, accountId);
  const order = (orderedAt: number) =>
    store.transaction((tx) => insertRolloutSteps(tx, row.id, { peerIds: [peerId], orderedAt }));
  return { store, accountId, row, peerId, order };
}

test("a step is taken once: from the state and the stage that were seen", async () => {
  const { store, accountId, row } = await aRollout();
  const step = (change: Partial<RolloutRow>, from = row) =>
    store.transaction((tx) => stepRollout(tx, from, change));
  expect([await step({ stage: 1 }), await step({ stage: 1 })]).toEqual([true, false]);
  expect(await step({ state: "halted" }, { ...row, stage: 1 })).toBe(true);
  expect(await step({ stage: 2 }, { ...row, stage: 1 })).toBe(false);
  expect(await store.read(listRunningRollouts)).toEqual([]);
  expect(await store.read((tx) => findOpenRollout(tx, accountId))).toMatchObject({
    state: "halted",
    stage: 1,
  });
});

test("a machine has one order, until that has failed and is forgotten", async () => {
  const { store, row, peerId, order } = await aRollout();
  expect([await order(1), await order(2)]).toEqual([[peerId], []]);
  const [{ orderId = "" } = {}] = await store.read((tx) => listRolloutSteps(tx, row.id));
  const say = (state: "working" | "failed", of: { orderId: string } | { rolloutId: string }) =>
    store.transaction((tx) => stepRolloutMachine(tx, { peerId, ...of }, { state, detail: "" }));
  expect(await say("working", { orderId: "order000000000000000" })).toBeUndefined();
  expect(await say("working", { orderId })).toMatchObject({ peerId, state: "working" });
  expect(await say("failed", { rolloutId: row.id })).toMatchObject({ state: "failed" });
  expect(await say("working", { orderId })).toBeUndefined();
  await store.transaction((tx) => deleteFailedSteps(tx, row.id));
  expect(await order(3)).toEqual([peerId]);
  expect((await store.read((tx) => listRolloutSteps(tx, row.id)))[0]?.orderId).not.toBe(orderId);
});
