import { beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { daysKept, RETENTION_FIELDS } from "../../../../src/management/db/tables/shortened-retention.ts";
import { aPolicyBody, aRuleBody, TestApi } from "../../../support/admin-api.ts";
import { aPeerOf } from "../../../support/management.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

const settingsNow = async () => (await api.call("GET", "/api/accounts")).body[0].settings;
const put = async (change: object) => {
  const settings = { ...(await settingsNow()), ...change };
  return api.call("PUT", `/api/accounts/${api.accountId}`, { settings });
};

/** Settings of NetBird's that nothing here acts on, each with another value than at the start. */
const KEPT: Readonly<Record<string, unknown>> = {
  peer_login_expiration_enabled: true,
  peer_login_expiration: 7_200,
  peer_inactivity_expiration_enabled: true,
  peer_inactivity_expiration: 900,
  regular_users_view_blocked: false,
  groups_propagation_enabled: false,
  jwt_groups_enabled: true,
  jwt_groups_claim_name: "teams",
  jwt_allow_groups: ["ops"],
  routing_peer_dns_resolution_enabled: true,
  network_range_v6: "fd00:1234:5678::/64",
  lazy_connection_enabled: true,
  auto_update_version: "latest",
  auto_update_always: true,
  metrics_push_enabled: true,
  agent_network_only: true,
  dashboard_features: { agent_network: true },
  local_auth_disabled: true,
  local_mfa_enabled: true,
};

test.each(Object.entries(KEPT))("%s is kept as %j and given back", async (field, value) => {
  expect((await settingsNow())[field]).not.toEqual(value);
  expect((await put({ [field]: value })).status).toBe(200);
  expect((await settingsNow())[field]).toEqual(value);
});

test.each(RETENTION_FIELDS)(
  "a shorter %s counts a week later, so that it removes nothing at once",
  async (field) => {
    const { accountId } = api;
    const kept = () => api.management.store.read((tx) => daysKept(tx, { accountId, field }, 1));
    const before = (await settingsNow())[field];
    expect((await put({ [field]: 1 })).status).toBe(200);
    expect([(await settingsNow())[field], await kept()]).toEqual([1, before]);
    api.management.clock.advanceMs(7 * 86_400_000);
    expect(await kept()).toBe(1);
  },
);

/** A rule as it is saved, with recipients; then they are taken away. */
async function withoutRecipients(rule: object, policy: Record<string, unknown> = {}) {
  expect((await put({ recording_recipients: [`age1${"q".repeat(58)}`] })).status).toBe(200);
  const sides = { sources: [], destinations: [] };
  const body = aPolicyBody([aRuleBody(sides), aRuleBody({ ...sides, name: "typed", ...rule })], policy);
  expect((await api.call("POST", "/api/policies", body)).status).toBe(200);
  return put({ recording_recipients: [] });
}

const TYPED = { ssh: { record: "required", record_input: "all" } };

test("recipients stay while an enabled rule keeps everything that is typed", async () => {
  expect(await withoutRecipients(TYPED)).toMatchObject({
    status: 422,
    body: { error: "ERR_UNPROCESSABLE", message: expect.stringContaining('rule "typed" of policy "policy"') },
  });
  expect((await settingsNow()).recording_recipients).toHaveLength(1);
  expect((await put({ recording_recipients: [`age1${"p".repeat(58)}`] })).status).toBe(200);
  expect((await put({ recording_recipients: [], max_stale_seconds: 60 })).status).toBe(422);
});

test.each([
  ["that is disabled", { ...TYPED, enabled: false }, {}],
  ["of a disabled policy", TYPED, { enabled: false }],
  ["that keeps what is shown", { ssh: { record: "required", record_input: "shown" } }, {}],
])("recipients do not stay for a rule %s", async (_, rule, policy) => {
  expect((await withoutRecipients(rule, policy)).status).toBe(200);
});

test("what has no effect is said when it is changed, and not again", async () => {
  const change = { local_auth_disabled: true, regular_users_view_blocked: false };
  expect((await put(change)).body.warnings).toEqual([
    "settings.regular_users_view_blocked is kept and has no effect here",
    "settings.local_auth_disabled is kept and has no effect here",
  ]);
  expect((await put(change)).body.warnings).toBeUndefined();
  expect((await put({ max_stale_seconds: 60 })).body.warnings).toBeUndefined();
});

test("what was read is written back without any change", async () => {
  const before = (await api.call("GET", "/api/accounts")).body[0];
  const { status, body } = await api.call("PUT", `/api/accounts/${api.accountId}`, before);
  expect([status, body]).toEqual([200, before]);
});

/** The names in the first column of the table in `docs/api.md` of settings without effect. */
function documentedWithoutEffect(): string[] {
  const docs = readFileSync(resolve(import.meta.dir, "../../../../docs/api.md"), "utf8");
  const table = docs.split("### Settings without effect")[1]?.split("\n\n")[2] ?? "";
  const cells = table.split("\n").flatMap((line) => /^\| (`[^|]*) \|/.exec(line)?.[1] ?? []);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name));
}

test("each setting that docs/api.md lists as without effect is named when it is changed", async () => {
  const group = (await api.call("POST", "/api/groups", { name: "exposed" })).body.id;
  const EXTRA = {
    network_traffic_logs_enabled: true,
    network_traffic_logs_groups: [group],
    network_traffic_packet_counter_enabled: true,
  };
  const groups = { peer_expose_groups: [group], ipv6_enabled_groups: [group] };
  const { extra } = await settingsNow();
  const change = { ...KEPT, ...groups, peer_expose_enabled: true, extra: { ...extra, ...EXTRA } };
  const { status, body } = await put(change);
  expect(status).toBe(200);
  const named = (body.warnings as string[]).map((text) => /^settings\.(?:extra\.)?(\w+) /.exec(text)?.[1]);
  // How the server was started says it, so a request never changes it.
  const fixed = ["embedded_idp_enabled"];
  const wanted = documentedWithoutEffect().filter((name) => !fixed.includes(name));
  expect(wanted.length).toBeGreaterThan(20);
  expect(named.toSorted()).toEqual(wanted.toSorted());
});

test("what is left out stays, in the settings within settings as well", async () => {
  const extra = { peer_approval_enabled: true, user_approval_required: true };
  await put({ extra: { ...(await settingsNow()).extra, ...extra }, lazy_connection_enabled: true });
  await put({ extra: { user_approval_required: false } });
  const now = await settingsNow();
  expect(now.extra).toMatchObject({ peer_approval_enabled: true, user_approval_required: false });
  const least = {
    ...{ peer_login_expiration_enabled: false, peer_login_expiration: 86_400 },
    ...{ peer_inactivity_expiration_enabled: false, peer_inactivity_expiration: 600 },
    ...{ regular_users_view_blocked: true, peer_expose_enabled: false, peer_expose_groups: [] },
  };
  await api.call("PUT", `/api/accounts/${api.accountId}`, { settings: least });
  expect(await settingsNow()).toEqual(now);
});

describe("a setting that cannot be meant is refused", () => {
  test.each<[object, string]>([
    [{ peer_login_expiration: 3_599 }, "settings.peer_login_expiration must be at least 3600"],
    [{ peer_expose_enabled: true }, "peer_expose_groups"],
    [{ peer_expose_groups: ["0".repeat(20)] }, "unknown group"],
    [{ ipv6_enabled_groups: ["0".repeat(20)] }, "unknown group"],
    [{ network_range: "10.0.0.0/8" }, "settings.network_range is not within 100.64.0.0/10"],
    [{ network_range: "100.64.0.0/30" }, "settings.network_range"],
    [{ require: { reson: true } }, 'unknown field "reson"'],
    [{ login_seconds_maxx: 60 }, 'unknown field "settings.login_seconds_maxx"'],
  ])("%j", async (change, says) => {
    const before = await settingsNow();
    const { status, body } = await put(change);
    expect([status, body.message]).toEqual([422, expect.stringContaining(says)]);
    expect(await settingsNow()).toEqual(before);
  });
});

test("network_range says where new peers get their addresses, and moves nobody", async () => {
  const old = await aPeerOf(api.management.store, api.accountId, { name: "old" });
  expect((await put({ network_range: "100.101.0.0/16" })).status).toBe(200);
  const fresh = await aPeerOf(api.management.store, api.accountId, { name: "fresh" });
  expect(fresh.address).toStartWith("100.101.");
  expect((await api.call("GET", `/api/peers/${old.id}`)).body.ip).toBe(old.address);
  expect((await put({ network_range: "" })).status).toBe(200);
  expect((await settingsNow()).network_range).toBe("100.101.0.0/16");
});

test("a setting of NetBird's that is not known yet is ignored and named", async () => {
  const reply = await put({ tunnel_colour: "blue" });
  expect([reply.status, reply.headers.get("x-ignored")]).toEqual([200, "settings.tunnel_colour"]);
  expect(await settingsNow()).not.toHaveProperty("tunnel_colour");
});
