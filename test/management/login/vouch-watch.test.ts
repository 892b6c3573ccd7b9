/** A machine's word for a device ends with its login, its machine, and its person's access; never sooner. */
import { beforeEach, describe, expect, test } from "bun:test";
import { nowSeconds } from "../../../src/base/clock.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { newId } from "../../../src/base/random.ts";
import {
  deleteLoginsOverBefore,
  findLogin,
  insertLogin,
  revokeLogin,
} from "../../../src/management/db/tables/logins.ts";
import { deletePeer, findPeer, type PeerRow, updatePeer } from "../../../src/management/db/tables/peers.ts";
import { judgeVouch, judgeVouches, watchVouches } from "../../../src/management/login/vouch-watch.ts";
import { aPolicyBody, aRuleBody, TestApi } from "../../support/admin-api.ts";
import { aPeerOf, aUserOf } from "../../support/management.ts";
import { until } from "../../support/until.ts";

let api: TestApi;
let servers: string;
let devs: string;
let machine: PeerRow;
let device: PeerRow;
let loginId: string;

const key = () => generateEd25519().publicKey;
const read = (peer: PeerRow) => api.management.store.read((tx) => findPeer(tx, api.accountId, peer.id));
const isVouched = async () => ((await read(device))?.vouchedByPeerId ?? null) !== null;
const judge = () => judgeVouches(api.management, api.accountId);
const write: typeof api.management.store.transaction = (fn) => api.management.store.transaction(fn);

/** Lets people of `devs` be "deploy" at the servers. Returns the policy's id. */
async function openServers(change: Record<string, unknown> = {}): Promise<string> {
  const rule = aRuleBody({
    sources: [devs],
    destinations: [servers],
    authorized_groups: { [devs]: ["deploy"] },
    ...change,
  });
  const { status, body } = await api.call("POST", "/api/policies", aPolicyBody([rule], { name: newId() }));
  expect(status).toBe(200);
  return body.id;
}

async function endsOf(): Promise<string[]> {
  const { body } = await api.call("GET", "/api/events/audit?after_seq=0");
  return body
    .filter((event: { activity_code: string }) => event.activity_code === "peer.vouch.end")
    .map((event: { meta: { why: string } }) => event.meta.why);
}

beforeEach(async () => {
  api = await TestApi.open();
  const { store } = api.management;
  servers = await api.aGroup("servers");
  devs = await api.aGroup("devs");
  machine = await aPeerOf(store, api.accountId, { name: "web1", deviceKey: key(), groups: [servers] });
  const ada = await aUserOf(store, api.accountId, { autoGroups: [devs] });
  loginId = newId();
  const now = nowSeconds(api.management.clock);
  device = await aPeerOf(store, api.accountId, {
    ...{ kind: "device", name: "laptop", deviceKey: key(), owner: ada },
    vouchedByPeerId: machine.id,
    vouch: { uid: 1000, at: now, loginId, byAccess: false },
  });
  await write((tx) =>
    insertLogin(tx, {
      ...{ id: loginId, accountId: api.accountId, userId: ada.id, devicePeerId: device.id, loginKey: key() },
      ...{ binding: "idp", claimedTokenHash: null, apiTokenId: null, revokedAt: null },
      ...{ authTime: now, issuedAt: now, createdAt: now, until: now + 3_600 },
    }),
  );
});

describe("a vouch of somebody who reaches the machine by policy", () => {
  let policyId: string;
  beforeEach(async () => {
    policyId = await openServers();
    await judge();
    expect((await read(device))?.vouch?.byAccess).toBe(true);
  });

  test("holds while they do, whatever else changes", async () => {
    await api.call("POST", "/api/groups", { name: "others", peers: [machine.id] });
    await judge();
    expect(await isVouched()).toBe(true);
    expect(await endsOf()).toEqual([]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ["the policy goes", () => api.call("DELETE", `/api/policies/${policyId}`)],
    [
      "the policy is off",
      async () => {
        const { body } = await api.call("GET", `/api/policies/${policyId}`);
        const rules = [
          aRuleBody({ sources: [devs], destinations: [servers], authorized_groups: { [devs]: ["deploy"] } }),
        ];
        await api.call("PUT", `/api/policies/${policyId}`, {
          ...aPolicyBody(rules),
          name: body.name,
          enabled: false,
        });
      },
    ],
    ["a drop comes", () => openServers({ action: "drop", authorized_groups: {} })],
    [
      "the machine leaves the group",
      () => api.call("PUT", `/api/groups/${servers}`, { name: "servers", peers: [] }),
    ],
  ])("ends when %s, with its event", async (_name, change) => {
    await change();
    await judge();
    expect(await isVouched()).toBe(false);
    expect((await read(device))?.vouch).toBeNull();
    expect(await endsOf()).toEqual(["access_over"]);
    await judge();
    expect(await endsOf()).toEqual(["access_over"]);
  });

  test("is not held up by what the vouch itself lends", async () => {
    await openServers({ sources: [servers], authorized_groups: { [servers]: ["deploy"] } });
    await api.call("DELETE", `/api/policies/${policyId}`);
    await judge();
    expect(await isVouched()).toBe(false);
  });
});

describe("a vouch from the console, without any access by policy", () => {
  test("holds, until there was some and it ends", async () => {
    await judge();
    expect(await isVouched()).toBe(true);
    const policyId = await openServers();
    await judgeVouch(api.management, api.accountId, device.id);
    expect(await isVouched()).toBe(true);
    await api.call("DELETE", `/api/policies/${policyId}`);
    await judge();
    expect(await endsOf()).toEqual(["access_over"]);
  });

  test.each<[string, string, () => Promise<unknown>]>([
    ["its login is over", "login_over", async () => api.management.clock.advanceMs(3_600_000)],
    ["its login is revoked", "login_over", () => write((tx) => revokeLogin(tx, loginId))],
    [
      "its login is forgotten",
      "login_over",
      () => write((tx) => deleteLoginsOverBefore(tx, nowSeconds(tx.clock) + 7_200)),
    ],
    [
      "its machine is blocked",
      "machine_gone",
      () => write((tx) => updatePeer(tx, api.accountId, machine.id, { status: "blocked" })),
    ],
    [
      "it is of a version that did not note its login",
      "login_over",
      () => write((tx) => updatePeer(tx, api.accountId, device.id, { vouch: null })),
    ],
    ["its machine is deleted", "machine_gone", () => write((tx) => deletePeer(tx, machine))],
  ])("ends when %s", async (_name, why, change) => {
    await change();
    await judge();
    expect(await isVouched()).toBe(false);
    expect(await endsOf()).toEqual([why]);
  });

  test("does not end with another login of the device", async () => {
    const other = newId();
    const { store } = api.management;
    const login = await store.read((tx) => findLogin(tx, loginId));
    if (login === undefined) throw new Error("no login");
    await write((tx) => insertLogin(tx, { ...login, id: other, loginKey: key() }));
    await write((tx) => revokeLogin(tx, other));
    expect(await isVouched()).toBe(true);
  });
});

test("the API lists a vouch: which machine, by which OS user there, since when", async () => {
  const { body } = await api.call("GET", "/api/peers");
  const listed = body.find(({ id }: PeerRow) => id === device.id);
  expect(listed.vouched_by).toMatchObject({ peer_id: machine.id, local_uid: 1000 });
  expect((await api.call("GET", `/api/peers/${device.id}`)).body.vouched_by).toEqual(listed.vouched_by);
  expect((await api.call("GET", `/api/peers/${machine.id}`)).body.vouched_by).toBeUndefined();
});

test("a change of the account is followed without being asked", async () => {
  const policyId = await openServers();
  await judge();
  const stop = watchVouches(api.management);
  await api.call("DELETE", `/api/policies/${policyId}`);
  await until("its end", async () => !(await isVouched()));
  expect(await endsOf()).toEqual(["access_over"]);
  await stop();
});
