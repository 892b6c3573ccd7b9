import { beforeEach, expect, test } from "bun:test";
import { aPolicyBody, aRuleBody, TestApi } from "../../support/admin-api.ts";
import { aPeerOf, aTokenOf, aUserOf } from "../../support/management.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

const keyBody = { name: "k", type: "one-off", expires_in: 86_400, auto_groups: [], usage_limit: 1 };
const peerBody = {
  name: "web",
  ssh_enabled: true,
  login_expiration_enabled: false,
  inactivity_expiration_enabled: false,
};

test("the account's settings: what is left out stays, what is ours has its default", async () => {
  const [account] = (await api.call("GET", "/api/accounts")).body;
  expect(account.settings).toMatchObject({
    max_stale_seconds: 3600,
    device_approval: "auto",
    dns_domain: "qf.internal",
  });
  const { max_stale_seconds: _, ...theirs } = account.settings;
  const put = (settings: object) => api.call("PUT", `/api/accounts/${account.id}`, { settings });
  expect((await put({ ...account.settings, max_stale_seconds: 60, dns_domain: "corp.example" })).status).toBe(
    200,
  );
  const after = (await put({ ...theirs, dns_domain: undefined })).body;
  expect(after.settings).toMatchObject({ max_stale_seconds: 60, dns_domain: "corp.example" });
  expect(after.domain).toBe("corp.example");
  expect((await put({ ...theirs, network_range: "10.0.0.0/8" })).status).toBe(422);
  expect((await put({ ...theirs, login_seconds_max: 0 })).status).toBe(422);
});

test("deleting the account deletes what is in it and tells listeners", async () => {
  const heard: string[] = [];
  api.management.store.onChange((accountId) => heard.push(accountId));
  const admin = await api.tokenAs("admin");
  const path = `/api/accounts/${api.accountId}`;
  expect((await api.call("DELETE", path, undefined, admin.token)).status).toBe(403);
  expect((await api.call("DELETE", path)).status).toBe(200);
  expect(heard).toEqual([api.accountId]);
  expect((await api.call("GET", "/api/users/current")).status).toBe(401);
});

test("a setup key is whole once and masked afterwards", async () => {
  const made = (await api.call("POST", "/api/setup-keys", keyBody)).body;
  expect(made.key).toStartWith("qfs_");
  expect(made).toMatchObject({ valid: true, state: "valid", usage_limit: 1, used_times: 0 });
  const read = (await api.call("GET", `/api/setup-keys/${made.id}`)).body;
  expect(read.key).toEndWith("****");
  expect(read.key.length).toBeLessThan(16);
});

test.each([
  { name: "a one-off key for two", change: { usage_limit: 2 }, says: "usage_limit" },
  { name: "a key that is over already", change: { expires_in: -1 }, says: "expires_in must be at least 0" },
  { name: "an unknown group", change: { auto_groups: ["0".repeat(20)] }, says: "unknown group" },
  { name: "an unknown type", change: { type: "eternal" }, says: "type must be one of one-off, reusable" },
])("a setup key with $name is refused", async ({ change, says }) => {
  const { status, body } = await api.call("POST", "/api/setup-keys", { ...keyBody, ...change });
  expect(status).toBe(422);
  expect(body.message).toContain(says);
});

test("a one-off key with usage_limit 0 is for one all the same", async () => {
  expect((await api.call("POST", "/api/setup-keys", { ...keyBody, usage_limit: 0 })).body.usage_limit).toBe(
    1,
  );
});

test("a revoked key stays revoked; states are told", async () => {
  const { id } = (await api.call("POST", "/api/setup-keys", keyBody)).body;
  const path = `/api/setup-keys/${id}`;
  expect((await api.call("PUT", path, { revoked: true, auto_groups: [] })).body.state).toBe("revoked");
  expect((await api.call("PUT", path, { revoked: false, auto_groups: [] })).status).toBe(422);
  const other = (await api.call("POST", "/api/setup-keys", keyBody)).body;
  api.management.clock.advanceMs(86_399_000);
  expect((await api.call("GET", `/api/setup-keys/${other.id}`)).body.state).toBe("valid");
});

test("All holds every peer, and cannot be changed or deleted", async () => {
  const all = await api.groupAll();
  await aPeerOf(api.management.store, api.accountId);
  const group = (await api.call("GET", `/api/groups/${all}`)).body;
  expect([group.name, group.peers_count]).toEqual(["All", 1]);
  expect((await api.call("PUT", `/api/groups/${all}`, { name: "Everyone" })).status).toBe(422);
  expect((await api.call("DELETE", `/api/groups/${all}`)).status).toBe(400);
  expect((await api.call("POST", "/api/groups", { name: "all" })).status).toBe(409);
});

test("a group's peers are replaced by those that are given, by none as well", async () => {
  const { store } = api.management;
  const one = await aPeerOf(store, api.accountId, { name: "one" });
  const two = await aPeerOf(store, api.accountId, { name: "two" });
  const id = await api.aGroup("servers", [one.id]);
  const put = async (body: object) =>
    (await api.call("PUT", `/api/groups/${id}`, body)).body.peers?.map((peer: { name: string }) => peer.name);
  expect(await put({ name: "hosts", peers: [one.id, two.id, two.id] })).toEqual(["one", "two"]);
  for (const none of [{ peers: [] }, { peers: null }, {}]) {
    expect(await put({ name: "hosts", peers: [one.id] })).toEqual(["one"]);
    expect(await put({ name: "hosts", ...none })).toEqual([]);
  }
  const reply = await api.call("PUT", `/api/groups/${id}`, { name: "hosts", peers: ["0".repeat(20)] });
  expect([reply.status, reply.body.message]).toEqual([422, expect.stringContaining("unknown peer")]);
});

test.each([
  { use: "policy", says: "policy" },
  { use: "user", says: "user Ann" },
  { use: "key", says: "setup key k" },
])("a group used by a $use cannot be deleted", async ({ use, says }) => {
  const id = await api.aGroup("devs");
  if (use === "user") await aUserOf(api.management.store, api.accountId, { name: "Ann", autoGroups: [id] });
  if (use === "key") await api.call("POST", "/api/setup-keys", { ...keyBody, auto_groups: [id] });
  if (use === "policy") {
    const rule = aRuleBody({ sources: [await api.groupAll()], destinations: [id] });
    await api.call("POST", "/api/policies", aPolicyBody([rule]));
  }
  const { status, body } = await api.call("DELETE", `/api/groups/${id}`);
  expect([status, body.error]).toEqual([400, "ERR_IN_USE"]);
  expect(body.message).toContain(says);
});

test("a peer in NetBird's shape", async () => {
  const id = await api.aGroup("servers");
  const peer = await aPeerOf(api.management.store, api.accountId, { groups: [id] });
  const { body } = await api.call("GET", `/api/peers/${peer.id}`);
  expect(body).toMatchObject({
    name: "web",
    ip: peer.address,
    dns_label: "web.qf.internal",
    ssh_enabled: true,
    connected: false,
    user_id: "",
    kind: "machine",
    approval_required: false,
  });
  expect(body.groups.map((group: { name: string }) => group.name)).toEqual(["All", "servers"]);
  expect((await api.call("GET", "/api/peers?name=web")).body).toHaveLength(1);
  expect((await api.call("GET", "/api/peers?name=db")).body).toHaveLength(0);
  expect((await api.call("GET", `/api/peers?ip=${peer.address}`)).body).toHaveLength(1);
});

test("a plain user sees its own devices only, and may remove them", async () => {
  const { store } = api.management;
  const user = await aUserOf(store, api.accountId);
  const token = await aTokenOf(store, user);
  const own = await aPeerOf(store, api.accountId, { kind: "device", name: "laptop", owner: user });
  const other = await aPeerOf(store, api.accountId);
  const list = (await api.call("GET", "/api/peers", undefined, token)).body;
  expect(list.map((peer: { id: string }) => peer.id)).toEqual([own.id]);
  expect((await api.call("GET", `/api/peers/${other.id}`, undefined, token)).status).toBe(404);
  expect((await api.call("PUT", `/api/peers/${own.id}`, { ...peerBody, name: "x" }, token)).status).toBe(403);
  expect((await api.call("DELETE", `/api/peers/${other.id}`, undefined, token)).status).toBe(404);
  expect((await api.call("DELETE", `/api/peers/${own.id}`, undefined, token)).status).toBe(200);
});

test.each(["a\nb", "a\u0000", "", " ", "\u202eab", "a\u200bb", "a\ufeffb", "a".repeat(257), 7])(
  "a peer is not renamed to %j",
  async (name) => {
    const peer = await aPeerOf(api.management.store, api.accountId);
    expect((await api.call("PUT", `/api/peers/${peer.id}`, { ...peerBody, name })).status).toBe(422);
  },
);

test("a freed name is nobody's until an admin releases it", async () => {
  const { store } = api.management;
  const gitlab = await aPeerOf(store, api.accountId, { name: "gitlab" });
  const web = await aPeerOf(store, api.accountId);
  const rename = (id: string, name: string) => api.call("PUT", `/api/peers/${id}`, { ...peerBody, name });
  expect((await rename(web.id, "gitlab")).status).toBe(409);
  expect((await rename(gitlab.id, "forge")).status).toBe(200);
  const refused = await rename(web.id, "gitlab");
  expect([refused.status, refused.body.hint]).toEqual([
    409,
    expect.stringContaining("/api/reserved-names/gitlab"),
  ]);
  const names = (await api.call("GET", "/api/reserved-names")).body;
  expect(names.map((one: { name: string }) => one.name)).toEqual(["gitlab"]);
  expect((await api.call("DELETE", "/api/reserved-names/gitlab")).status).toBe(200);
  expect((await rename(web.id, "gitlab")).status).toBe(200);
  expect((await rename(gitlab.id, "forge")).body.name).toBe("forge");
});

test("a peer gets its own old name back without asking", async () => {
  const peer = await aPeerOf(api.management.store, api.accountId);
  const rename = (name: string) => api.call("PUT", `/api/peers/${peer.id}`, { ...peerBody, name });
  expect((await rename("db")).status).toBe(200);
  expect((await rename("web")).status).toBe(200);
});

test("turning SSH off, approving, readdressing: each is told and raises the version", async () => {
  const { store } = api.management;
  const owner = await aUserOf(store, api.accountId);
  const device = await aPeerOf(store, api.accountId, {
    kind: "device",
    owner,
    ownerApproved: false,
    status: "pending",
  });
  const other = await aPeerOf(store, api.accountId);
  const path = `/api/peers/${device.id}`;
  expect((await api.call("GET", path)).body.approval_required).toBe(true);
  const versions: number[] = [];
  store.onChange((_, version) => versions.push(version));
  const body = { ...peerBody, ssh_enabled: false, approval_required: false, ip: "100.100.0.9" };
  const changed = (await api.call("PUT", path, body)).body;
  expect(changed).toMatchObject({ ssh_enabled: false, approval_required: false, ip: "100.100.0.9" });
  expect(versions).toHaveLength(1);
  expect(await api.activities()).toEqual(["peer.ssh.disable", "peer.approve", "peer.update"]);
  expect((await api.call("PUT", path, { ...body, ip: other.address })).status).toBe(409);
  expect((await api.call("PUT", path, { ...body, ip: "10.0.0.1" })).status).toBe(422);
});

test("accessible peers are those whose own map lets this one in", async () => {
  const { store } = api.management;
  const servers = await api.aGroup("servers");
  const devs = await api.aGroup("devs");
  const user = await aUserOf(store, api.accountId, { autoGroups: [devs] });
  const machine = await aPeerOf(store, api.accountId, { name: "web", groups: [servers] });
  await aPeerOf(store, api.accountId, { name: "db" });
  const device = await aPeerOf(store, api.accountId, { kind: "device", name: "laptop", owner: user });
  const accessible = async () =>
    (await api.call("GET", `/api/peers/${device.id}/accessible-peers`)).body.map(
      (peer: { id: string }) => peer.id,
    );
  expect(await accessible()).toEqual([]);
  await api.call(
    "POST",
    "/api/policies",
    aPolicyBody([aRuleBody({ sources: [devs], destinations: [servers] })]),
  );
  expect(await accessible()).toEqual([machine.id]);
  await api.call("PUT", `/api/peers/${machine.id}`, { ...peerBody, ssh_enabled: false });
  expect(await accessible()).toEqual([]);
});

test("a posture check in use cannot be deleted", async () => {
  const body = { name: "c", description: "", checks: { nb_version_check: { min_version: "0.1" } } };
  const { id } = (await api.call("POST", "/api/posture-checks", body)).body;
  const all = await api.groupAll();
  const rule = aRuleBody({ sources: [all], destinations: [all] });
  const policy = aPolicyBody([rule], { source_posture_checks: [id] });
  const saved = (await api.call("POST", "/api/policies", policy)).body;
  expect(saved.source_posture_checks).toEqual([id]);
  expect((await api.call("DELETE", `/api/posture-checks/${id}`)).status).toBe(409);
  await api.call("DELETE", `/api/policies/${saved.id}`);
  expect((await api.call("DELETE", `/api/posture-checks/${id}`)).status).toBe(200);
  const geo = { ...body, checks: { geo_location_check: { locations: [], action: "allow" } } };
  expect((await api.call("POST", "/api/posture-checks", geo)).body.message).toContain("geo_location_check");
});
