/**
 * A client that means none, in each of the ways in which clients write it: null, an empty list, or nothing at
 * all. It never gets any.
 */
import { beforeEach, describe, expect, test } from "bun:test";
import { decide } from "../../src/policy/decide/decide.ts";
import { prepareSnapshot } from "../../src/policy/decide/snapshot.ts";
import { aPolicyBody, aRuleBody, TestApi } from "../support/admin-api.ts";
import { aPeerOf, aUserOf } from "../support/management.ts";
import { aRequest } from "../support/policy.ts";

let api: TestApi;
let devs: string;
let servers: string;
let machine: string;
let user: string;
let device: string;
beforeEach(async () => {
  api = await TestApi.open();
  const { store } = api.management;
  devs = await api.aGroup("devs");
  machine = (await aPeerOf(store, api.accountId, { name: "web" })).id;
  servers = await api.aGroup("servers", [machine]);
  const ada = await aUserOf(store, api.accountId, { autoGroups: [devs] });
  user = ada.id;
  device = (await aPeerOf(store, api.accountId, { kind: "device", name: "laptop", owner: ada })).id;
});

/** Whether Ada gets in as deploy, by the machine's own map as it is now. */
async function getsIn(): Promise<boolean> {
  const map = await api.management.maps.mapOf(api.accountId, machine);
  if (map === undefined) throw new Error("the machine has no map");
  const request = {
    ...aRequest({ localUser: "deploy" }),
    ...{ userId: user, devicePeerId: device },
    nowSeconds: Math.floor(api.management.clock.nowMs() / 1000),
  };
  return decide(request, prepareSnapshot(map)).kind === "allow";
}

const rule = (change: object = {}) => aRuleBody({ sources: [devs], destinations: [servers], ...change });
const save = (change: object = {}, policy: Record<string, unknown> = {}) =>
  api.call("POST", "/api/policies", aPolicyBody([rule(change)], policy));

test("Ada gets in by the rule that the others here are one step from", async () => {
  expect(await getsIn()).toBe(false);
  expect((await save()).status).toBe(200);
  expect(await getsIn()).toBe(true);
});

describe("a rule", () => {
  test.each([
    { what: "of no sources", change: { sources: [] } },
    { what: "of no destinations", change: { destinations: [] } },
  ])("$what is taken, holds for nobody, and says so", async ({ change }) => {
    const { status, body } = await save(change);
    expect([status, body.warnings?.length]).toEqual([200, 1]);
    expect(await getsIn()).toBe(false);
  });

  test.each([
    { what: "of null sources", change: { sources: null } },
    { what: "without sources", change: { sources: undefined } },
    { what: "without destinations", change: { destinations: undefined } },
    { what: "of no local user", change: { authorized_groups: { x: [] } } },
    { what: "of no kind of device", change: { source_devices: [] } },
    { what: "whose capabilities are null", change: { ssh: null } },
  ])("$what is refused, and nothing is opened", async ({ change }) => {
    const written = "authorized_groups" in change ? { authorized_groups: { [devs]: [] } } : change;
    expect((await save(written)).status).toBe(422);
    expect(await getsIn()).toBe(false);
  });

  test.each<[string, string[]]>([
    ["local_forward", []],
    ["remote_forward", []],
    ["commands", []],
    ["env", []],
  ])("with ssh.%s of nothing keeps it as nothing", async (field, none) => {
    const { body } = await save({ ssh: { [field]: none } });
    expect(body.rules[0].ssh).toEqual({ [field]: none });
    const map = await api.management.maps.mapOf(api.accountId, machine);
    expect(Object.values(map?.rules ?? {})[0]?.capabilities).toEqual({ [field]: none });
  });

  test("of no sources that drops, drops nobody", async () => {
    await save();
    await save({ sources: [], action: "drop" });
    expect(await getsIn()).toBe(true);
  });
});

describe("a policy", () => {
  test.each([{ rules: [] }, { rules: null }, { rules: undefined }])("of %p is refused", async (none) => {
    expect((await api.call("POST", "/api/policies", { ...aPolicyBody([rule()]), ...none })).status).toBe(422);
    expect(await getsIn()).toBe(false);
  });

  test("keeps no rule that PUT leaves out", async () => {
    const { id, rules } = (await save()).body;
    const other = rule({ sources: [] });
    await api.call("PUT", `/api/policies/${id}`, aPolicyBody([other]));
    expect(await getsIn()).toBe(false);
    expect(rules).toHaveLength(1);
  });
});

describe.each([{ none: null }, { none: [] }, { none: undefined }])("%p", ({ none }) => {
  test("as the peers of a group empties it, and access by it ends", async () => {
    await save();
    const { body } = await api.call("PUT", `/api/groups/${servers}`, { name: "servers", peers: none });
    expect(body.peers).toEqual([]);
    expect(await getsIn()).toBe(false);
  });

  test("as the groups of a user takes all of them, and access by them ends", async () => {
    await save();
    const change = { role: "user", is_blocked: false, auto_groups: none };
    expect((await api.call("PUT", `/api/users/${user}`, change)).body.auto_groups).toEqual([]);
    expect(await getsIn()).toBe(false);
  });

  test("as the groups of a new service user or setup key is no group", async () => {
    const robot = { name: "r", role: "user", is_service_user: true, auto_groups: none };
    expect((await api.call("POST", "/api/users", robot)).body.auto_groups).toEqual([]);
    const key = { name: "k", type: "one-off", expires_in: 60, usage_limit: 1, auto_groups: none };
    expect((await api.call("POST", "/api/setup-keys", key)).body.auto_groups).toEqual([]);
  });
});

test.each([{ auto_groups: null }, {}])(
  "a setup key whose groups become %p is left as it was",
  async (none) => {
    const body = { name: "k", type: "reusable", expires_in: 60, usage_limit: 0, auto_groups: [devs] };
    const { id } = (await api.call("POST", "/api/setup-keys", body)).body;
    expect((await api.call("PUT", `/api/setup-keys/${id}`, { revoked: false, ...none })).status).toBe(422);
    expect((await api.call("GET", `/api/setup-keys/${id}`)).body.auto_groups).toEqual([devs]);
  },
);

test.each([{ checks: {} }, { checks: null }, { checks: { nb_version_check: null } }, {}])(
  "a posture check of %j, which everything would pass, is refused",
  async (none) => {
    const reply = await api.call("POST", "/api/posture-checks", { name: "c", description: "", ...none });
    expect([reply.status, reply.body.message]).toEqual([422, expect.stringContaining("checks is empty")]);
  },
);

test.each([
  { what: "a version to which every one compares", min_version: "v" },
  { what: "no version", min_version: "" },
  { what: "words", min_version: "latest" },
])("a posture check of $what is refused", async ({ min_version }) => {
  const checks = { nb_version_check: { min_version } };
  expect((await api.call("POST", "/api/posture-checks", { name: "c", checks })).status).toBe(422);
});

test("an unknown restriction is never a dropped one", async () => {
  for (const change of [{ requires_mfa: true }, { ssh: { x11: false } }, { schedule: { days: ["mon"] } }]) {
    expect((await save(change)).status).toBe(422);
  }
  expect((await save({}, { conditions: ["office"] })).status).toBe(422);
  const robot = await aUserOf(api.management.store, api.accountId, { isServiceUser: true });
  const token = { name: "t", expires_in: 1, scopes: "ssh" };
  expect((await api.call("POST", `/api/users/${robot.id}/tokens`, token)).status).toBe(422);
  expect(await getsIn()).toBe(false);
});
