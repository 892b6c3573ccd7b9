import { beforeEach, describe, expect, test } from "bun:test";
import { deletePeer, findPeer, updatePeer } from "../../../src/management/db/tables/peers.ts";
import { findRollout, listRolloutSteps } from "../../../src/management/db/tables/rollouts.ts";
import {
  lookAtRollouts,
  takeUpgradeReport,
  watchRollouts,
} from "../../../src/management/rollouts/rollouts.ts";
import type { AgentFlags } from "../../../src/wire/agent-sync.ts";
import type { UpgradeOrder, UpgradeReport } from "../../../src/wire/upgrade-report.ts";
import { TestApi } from "../../support/admin-api.ts";
import { aPeerOf } from "../../support/management.ts";
import { offering } from "../../support/offered-releases.ts";
import { aNewPeer } from "../../support/peer-row.ts";

const [OLD, NEW] = ["1.1.0", "1.2.0"];
const FLAGS: AgentFlags = {
  ...{ sshServer: true, sshRoot: false, sshSftp: false, sshLocalForwarding: false },
  ...{ sshRemoteForwarding: false, sshAuth: true, offlineLogins: false, requireIdpBinding: false },
  ...{ privileged: true, ownUser: "root" },
};

let api: TestApi;
let rolloutId: string;
/** Machines in the order in which they have been told. */
let told: { peerId: string; order: UpgradeOrder }[];
const away = new Set<string>();

beforeEach(async () => {
  told = [];
  away.clear();
  api = await TestApi.open({ releases: offering(NEW), isConnected: (peerId) => !away.has(peerId) });
});

async function aMachine(name: string, flags: Partial<AgentFlags> = { managedUpgrades: true }) {
  const { store } = api.management;
  const facts = { ...aNewPeer("").facts, hostname: name, version: OLD };
  const { id } = await aPeerOf(store, api.accountId, { name, facts });
  await store.transaction((tx) => updatePeer(tx, api.accountId, id, { flags: { ...FLAGS, ...flags } }));
  return id;
}

const start = async (change: object = {}) => {
  const { body } = await api.call("POST", "/api/rollouts", { version: NEW, pause_seconds: 60, ...change });
  rolloutId = body.id;
  return body;
};
const look = () =>
  lookAtRollouts(api.management, {
    isConnected: (peerId) => !away.has(peerId),
    order: (peerId, order) => told.push({ peerId, order }),
  });
/** The machine comes back with `version`. */
const comesBack = (peerId: string, version = NEW) =>
  api.management.store.transaction((tx) =>
    updatePeer(tx, api.accountId, peerId, { facts: { ...aNewPeer("").facts, version } }),
  );
const report = (at: number, state: UpgradeReport["state"], detail = "") => {
  const { peerId, order } = told[at] ?? { peerId: "", order: { orderId: "" } };
  const from = { accountId: api.accountId, peerId, name: "m" };
  return takeUpgradeReport(api.management, from, { orderId: order.orderId, state, detail });
};
const state = async () => (await api.call("GET", `/api/rollouts/${rolloutId}`)).body;
const steps = async () =>
  (await api.management.store.read((tx) => listRolloutSteps(tx, rolloutId))).map((step) => step.state);
const peersTold = () => [...new Set(told.map(({ peerId }) => peerId))];

describe("a rollout", () => {
  test("goes stage by stage to the end, with its evidence", async () => {
    for (const name of ["a", "b", "c", "d"]) await aMachine(name);
    await start({ stages: [25, 100] });
    await look();
    await look();
    expect(peersTold()).toHaveLength(1);
    expect(told[0]?.order).toMatchObject({ version: NEW });
    await report(0, "working");
    expect(await steps()).toEqual(["working"]);
    await comesBack(told[0]?.peerId ?? "");
    await look();
    expect(await steps()).toEqual(["done"]);
    await look();
    api.management.clock.advanceMs(59_000);
    await look();
    expect(peersTold()).toHaveLength(1);
    api.management.clock.advanceMs(1_000);
    for (let i = 0; i < 3; i++) await look();
    expect(peersTold()).toHaveLength(4);
    for (const peerId of peersTold()) await comesBack(peerId);
    for (let i = 0; i < 2; i++) await look();
    api.management.clock.advanceMs(60_000);
    await look();
    expect(await state()).toMatchObject({ state: "finished", machines: { done: 4, waiting: 0 } });
    const activities = (await api.activities()).filter((one) => /^rollout|upgrade$/.test(one));
    expect(activities[0]).toBe("rollout.create");
    expect(activities.at(-1)).toBe("rollout.finish");
    expect(activities.filter((one) => one === "peer.upgrade")).toHaveLength(8);
    expect(activities.filter((one) => one === "rollout.stage")).toHaveLength(1);
  });

  test("tells a machine again until it answers, by the same order", async () => {
    await aMachine("a");
    await start();
    for (let i = 0; i < 3; i++) await look();
    expect(told.length).toBeGreaterThan(1);
    expect(new Set(told.map(({ order }) => order.orderId)).size).toBe(1);
    await report(0, "working");
    const before = told.length;
    await look();
    expect(told).toHaveLength(before);
  });

  test.each<[string, UpgradeReport["state"], string]>([
    ["halts when a machine says that it has failed", "failed", "halted"],
    ["goes on when root of a machine refuses", "refused", "running"],
  ])("%s", async (_what, said, want) => {
    for (const name of ["a", "b", "c"]) await aMachine(name);
    await start({ stages: [33, 100] });
    for (let i = 0; i < 2; i++) await look();
    await report(0, said, "because");
    for (let i = 0; i < 2; i++) await look();
    expect((await state()).state).toBe(want);
    const { body } = await api.call("GET", `/api/rollouts/${rolloutId}/machines`);
    expect(body[0]).toMatchObject({ state: said, detail: "because" });
    if (want === "halted") expect(peersTold()).toHaveLength(1);
  });

  test("halts when machines do not come back, and tells nobody else until somebody resumes it", async () => {
    for (const name of ["a", "b"]) await aMachine(name);
    await start({ stages: [50, 100] });
    for (let i = 0; i < 2; i++) await look();
    const [first = ""] = peersTold();
    away.add(first);
    api.management.clock.advanceMs(3_000_000);
    for (let i = 0; i < 3; i++) await look();
    expect(await state()).toMatchObject({ state: "halted", machines: { failed: 1 } });
    expect(peersTold()).toEqual([first]);
    away.clear();
    await api.call("POST", `/api/rollouts/${rolloutId}/resume`);
    told = [];
    for (let i = 0; i < 2; i++) await look();
    expect(peersTold()).toEqual([first]);
    expect((await state()).state).toBe("running");
  });

  test.each([
    ["halted", "POST", "/halt"],
    ["cancelled", "DELETE", ""],
  ])("that is %s tells nobody", async (_what, method, path) => {
    await aMachine("a");
    await start();
    await api.call(method, `/api/rollouts/${rolloutId}${path}`);
    for (let i = 0; i < 2; i++) await look();
    expect(told).toEqual([]);
  });

  test("tells no machine whose root does not allow it, also not any more", async () => {
    await aMachine("a", {});
    const b = await aMachine("b");
    await start();
    await look();
    const { store } = api.management;
    await store.transaction((tx) => updatePeer(tx, api.accountId, b, { flags: FLAGS }));
    await look();
    expect(told).toEqual([]);
    expect((await state()).machines).toMatchObject({ not_allowed: 1, ordered: 1 });
  });

  test("of a group is for its machines only", async () => {
    const [a] = [await aMachine("a"), await aMachine("b")];
    const group = await api.aGroup("Staging", [a]);
    await start({ group, stages: [100] });
    for (let i = 0; i < 2; i++) await look();
    expect(peersTold()).toEqual([a]);
  });

  test("forgets a machine that is deleted", async () => {
    const a = await aMachine("a");
    await start();
    for (let i = 0; i < 2; i++) await look();
    const { store } = api.management;
    await store.transaction(async (tx) => {
      const peer = await findPeer(tx, api.accountId, a);
      if (peer !== undefined) await deletePeer(tx, peer);
    });
    expect(await steps()).toEqual([]);
  });

  test("is carried out once where two processes look at once", async () => {
    for (const name of ["a", "b", "c"]) await aMachine(name);
    await start({ stages: [33, 100] });
    await Promise.all([look(), look()]);
    expect(await steps()).toEqual(["ordered"]);
    const activities = (await api.activities()).filter((one) => one === "peer.upgrade");
    expect(activities).toHaveLength(1);
  });
});

describe("a report", () => {
  test.each<[string, { orderId?: string; peer?: string }]>([
    ["of an order that was never given", { orderId: "order000000000000000" }],
    ["of another machine's order", { peer: "b" }],
  ])("%s changes nothing", async (_what, { orderId, peer }) => {
    await aMachine("a");
    await start();
    for (let i = 0; i < 2; i++) await look();
    const given = told[0] ?? { peerId: "", order: { orderId: "" } };
    const peerId = peer === undefined ? given.peerId : await aMachine(peer);
    const from = { accountId: api.accountId, peerId, name: "m" };
    const said = { orderId: orderId ?? given.order.orderId, state: "failed" as const, detail: "" };
    await takeUpgradeReport(api.management, from, said);
    expect(await steps()).toEqual(["ordered"]);
  });

  test("that comes when it is over changes nothing", async () => {
    await aMachine("a");
    await start();
    for (let i = 0; i < 2; i++) await look();
    await report(0, "failed", "one");
    await report(0, "working");
    expect(await steps()).toEqual(["failed"]);
  });
});

test("it is looked until stopped", async () => {
  await aMachine("a");
  await start();
  const stop = watchRollouts(api.management, { isConnected: () => false, order: () => {} });
  await stop();
  const { store } = api.management;
  expect(await store.read((tx) => findRollout(tx, api.accountId, rolloutId))).toMatchObject({ stage: 0 });
});
