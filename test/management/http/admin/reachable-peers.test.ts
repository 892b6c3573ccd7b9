import { beforeEach, expect, test } from "bun:test";
import { newId } from "../../../../src/base/random.ts";
import { findMapVersions } from "../../../../src/management/db/tables/peers.ts";
import { aPolicyBody, aRuleBody, TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, aTokenOf, aUserOf } from "../../../support/management.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

/** Machines in `servers`, and a device of somebody in `devs`, with a rule between the two. */
async function furnish(machines: number) {
  const { store } = api.management;
  const [servers, devs] = [await api.aGroup("servers"), await api.aGroup("devs")];
  const user = await aUserOf(store, api.accountId, { autoGroups: [devs] });
  const device = await aPeerOf(store, api.accountId, { kind: "device", name: "laptop", owner: user });
  const ids: string[] = [];
  for (let i = 0; i < machines; i++) {
    ids.push((await aPeerOf(store, api.accountId, { name: `web${i}`, groups: [servers] })).id);
  }
  const rule = aRuleBody({ sources: [devs], destinations: [servers] });
  const policy = (await api.call("POST", "/api/policies", aPolicyBody([rule]))).body;
  return { user, device, ids, policyId: policy.id as string, rule };
}

const idsOf = (list: { id: string }[]): string[] => list.map(({ id }) => id).sort();

test("lists of peers say how many each reaches, and accessible-peers which", async () => {
  const { device, ids } = await furnish(3);
  const list: { id: string; accessible_peers_count: number }[] = (await api.call("GET", "/api/peers")).body;
  const counts = new Map(list.map((peer) => [peer.id, peer.accessible_peers_count]));
  expect(counts.get(device.id)).toBe(3);
  for (const id of ids) expect(counts.get(id)).toBe(0);
  const reached = (await api.call("GET", `/api/peers/${device.id}/accessible-peers`)).body;
  expect(idsOf(reached)).toEqual([...ids].sort());
});

test("what is asked is answered by what is committed, at once", async () => {
  const { device, ids, policyId, rule } = await furnish(2);
  const count = async () =>
    (await api.call("GET", `/api/peers/${device.id}/accessible-peers`)).headers.get("x-total-count");
  expect(await count()).toBe("2");
  await api.call("PUT", `/api/policies/${policyId}`, aPolicyBody([{ ...rule, enabled: false }]));
  expect(await count()).toBe("0");
  const { management } = api;
  const soon = Math.floor(management.clock.nowMs() / 1000) + 60;
  await api.call("PUT", `/api/policies/${policyId}`, aPolicyBody([{ ...rule, valid_until: soon }]));
  expect(await count()).toBe("2");
  management.clock.advanceMs(60_000);
  expect(await count()).toBe("0");
  expect(ids).toHaveLength(2);
});

test("neither makes a map of any machine, nor writes anything", async () => {
  const { device, ids } = await furnish(5);
  const { store } = api.management;
  await api.call("GET", "/api/users/current"); // The token's use is noted once a minute.
  let writes = 0;
  const counted = <A extends unknown[], R>(run: (...args: A) => R) =>
    function countedRun(...args: A): R {
      writes += 1;
      return run(...args);
    };
  Object.assign(store, { transaction: counted(store.transaction), change: counted(store.change) });
  expect((await api.call("GET", `/api/peers/${device.id}/accessible-peers`)).body).toHaveLength(5);
  expect((await api.call("GET", "/api/peers")).body).toHaveLength(6);
  expect(writes).toBe(0);
  const stamps = await store.read((tx) => findMapVersions(tx, [device.id, ...ids]));
  expect(stamps.every(({ version }) => version === 0)).toBe(true);
});

test("a plain user asks for its own devices only, and a peer that is not there is not found", async () => {
  const { user, device, ids } = await furnish(1);
  const token = await aTokenOf(api.management.store, user);
  const ask = (id: string) => api.call("GET", `/api/peers/${id}/accessible-peers`, undefined, token);
  expect((await ask(device.id)).status).toBe(200);
  expect((await ask(ids[0] ?? "")).status).toBe(404);
  const reply = await ask(newId());
  expect([reply.status, reply.body.message]).toEqual([404, "peer not found"]);
});
