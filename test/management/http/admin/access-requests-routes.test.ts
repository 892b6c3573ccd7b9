/** Requests for access: who may ask, decide and end, and what is in the map of which machine afterwards. */
import { beforeEach, describe, expect, test } from "bun:test";
import { endOverdue } from "../../../../src/management/access/access-ends.ts";
import type { PeerRow } from "../../../../src/management/db/tables/peers.ts";
import { type UserRow, updateUser } from "../../../../src/management/db/tables/users.ts";
import { aPolicyBody, aRuleBody, type Reply, TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, aTokenOf, aUserOf } from "../../../support/management.ts";
import { aSession, fromPage, type TestSession } from "../../../support/web-session.ts";

const HOUR = 3_600;
let api: TestApi;
let ada: TestSession;
let bob: TestSession;
let chief: TestSession;
let device: PeerRow;
let bobs: PeerRow;
let web1: PeerRow;
let web2: PeerRow;
let chiefs: string;
let ops: string;
let policyId: string;

beforeEach(async () => {
  api = await TestApi.open();
  const { store } = api.management;
  const devs = await api.aGroup("devs");
  chiefs = await api.aGroup("chiefs");
  const person = (name: string, autoGroups: string[]): Promise<UserRow> =>
    aUserOf(store, api.accountId, { name, autoGroups });
  ada = await aSession(api, "user", await person("ada", [devs]));
  bob = await aSession(api, "user", await person("bob", [devs, chiefs]));
  chief = await aSession(api, "user", await person("chief", [chiefs]));
  device = await aPeerOf(store, api.accountId, { name: "laptop", kind: "device", owner: ada.user });
  bobs = await aPeerOf(store, api.accountId, { name: "bobs", kind: "device", owner: bob.user });
  web1 = await aPeerOf(store, api.accountId, { name: "web1" });
  web2 = await aPeerOf(store, api.accountId, { name: "web2" });
  const servers = await api.aGroup("servers", [web1.id, web2.id]);
  ops = (await api.call("POST", "/api/groups", { name: "ops", requestable: true, approver_groups: [chiefs] }))
    .body.id;
  policyId = (await api.call("POST", "/api/policies", aPolicyBody([strictRule(devs, servers)]))).body.id;
});

function strictRule(devs: string, servers: string, ssh: Record<string, unknown> = {}) {
  return aRuleBody({
    ...{ sources: [devs], destinations: [servers], authorized_groups: { [devs]: ["deploy"] } },
    ...{ ssh: { require_approval: true, ...ssh }, approver_groups: [chiefs], approval_seconds: HOUR },
  });
}

/** A request of a page of ours, in a session. */
async function as(session: TestSession, method: string, path: string, body?: unknown): Promise<Reply> {
  const { headers } = fromPage(session.secret);
  return api.send(method, `/api/access${path}`, {
    headers: { ...(headers as Record<string, string>), "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const machineBody = (change: Record<string, unknown> = {}) => ({
  ...{ kind: "machine", machine: "web1", local_user: "deploy", device: device.id, reason: "INC-7" },
  ...change,
});
const ask = (body: Record<string, unknown> = machineBody(), who = ada) => as(who, "POST", "/requests", body);
const askForOps = (seconds = HOUR) => ask({ kind: "group", group: ops, seconds, reason: "on call" });

async function decide(
  who: TestSession,
  id: string,
  decision: "approve" | "deny",
  change: Record<string, unknown> = {},
): Promise<Reply> {
  const shown = await as(who, "GET", `/requests/${id}`);
  const digest = shown.body.digest ?? "none";
  return as(who, "POST", `/requests/${id}/decision`, { decision, digest, ...change });
}

async function approvalsAt(machine: PeerRow): Promise<readonly unknown[]> {
  const map = await api.management.maps.mapOf(api.accountId, machine.id);
  return map?.self.approvals ?? [];
}

const nowSeconds = () => Math.floor(api.management.clock.nowMs() / 1000);
const stateOf = async (id: string) => (await as(chief, "GET", `/requests/${id}`)).body.state;
/** A fresh sign-in of the same person. */
const again = (session: TestSession) => aSession(api, "user", session.user);

describe("an approval at a machine", () => {
  test("is asked for, approved for less, in the map of that machine only, and ended", async () => {
    const asked = await ask();
    expect(asked).toMatchObject({
      status: 200,
      body: {
        ...{ state: "waiting", machine: { name: "web1" }, local_user: "deploy", reason: "INC-7" },
        ...{ seconds: HOUR, approver_groups: [{ name: "chiefs" }], is_own: true, may_decide: false },
      },
    });
    const { id } = asked.body;
    expect(asked.body.url).toEndWith(`/requests/${id}`);
    expect((await as(chief, "GET", "/requests?which=decide")).body).toMatchObject([{ id, may_decide: true }]);
    expect((await as(bob, "GET", "/requests?which=own")).body).toEqual([]);

    const approved = await decide(chief, id, "approve", { seconds: 600 });
    expect(approved).toMatchObject({
      status: 200,
      body: { state: "approved", decided_by: { name: "chief" } },
    });
    const approval = { id, userId: ada.user.id, devicePeerId: device.id, localUser: "deploy" };
    expect(await approvalsAt(web1)).toMatchObject([{ ...approval, untilSeconds: nowSeconds() + 600 }]);
    expect(await approvalsAt(web2)).toEqual([]);

    expect(await as(chief, "DELETE", `/requests/${id}`)).toMatchObject({
      status: 200,
      body: { state: "ended", end_cause: "taken_back" },
    });
    expect(await approvalsAt(web1)).toEqual([]);
    const codes = (await api.activities()).filter((code) => code.startsWith("access."));
    expect(codes).toEqual(["access.request", "access.approve", "access.end"]);
  });

  test("concerns the map of its machine alone", async () => {
    const stale: string[] = [];
    for (const machine of [web1, web2]) {
      await api.management.maps.mapOf(api.accountId, machine.id);
      api.management.maps.watch(api.accountId, machine.id, () => void stale.push(machine.name));
    }
    const { id } = (await ask()).body;
    expect(stale).toEqual([]);
    await decide(chief, id, "approve");
    await approvalsAt(web1);
    expect([...new Set(stale)]).toEqual(["web1"]);
  });

  test("asked for twice is one request", async () => {
    const [first, second] = [await ask(), await ask(machineBody({ reason: "once more" }))];
    expect(second.body.id).toBe(first.body.id);
    expect(second.body.reason).toBe("INC-7");
  });

  test.each<[string, () => Promise<Reply>, number]>([
    ["a machine that is not there", () => ask(machineBody({ machine: "web9" })), 404],
    ["a machine that no rule opens for them", () => ask(machineBody({}), chief), 404],
    ["a local user that no rule lists", () => ask(machineBody({ local_user: "root" })), 403],
    ["a device of somebody else", () => ask(machineBody({ device: web1.id })), 404],
    ["no device", () => ask(machineBody({ device: null })), 422],
    ["longer than the rule allows", () => ask(machineBody({ seconds: HOUR + 1 })), 422],
    ["less than a minute", () => ask(machineBody({ seconds: 59 })), 422],
    ["a reason of several lines", () => ask(machineBody({ reason: "one\ntwo" })), 422],
  ])("is not asked for with %s", async (_, attempt, status) => {
    expect((await attempt()).status).toBe(status);
  });

  test("is not asked for where none is needed, or where it would not be enough", async () => {
    const { body: policy } = await api.call("GET", `/api/policies/${policyId}`);
    const save = async (ssh: Record<string, unknown>) => {
      const [rule] = policy.rules;
      const groups = { sources: [rule.sources[0].id], destinations: [rule.destinations[0].id] };
      const rules = [{ ...rule, ...groups, ssh }];
      return (await api.call("PUT", `/api/policies/${policyId}`, { ...aPolicyBody(rules) })).status;
    };
    expect(await save({})).toBe(200);
    expect(await ask()).toMatchObject({ status: 409, body: { message: "this access needs no approval" } });
    expect(await save({ require_approval: true, reauth_within_seconds: 60, require_reason: true })).toBe(200);
    expect(await ask(machineBody({ reason: null }))).toMatchObject({ status: 403 });
  });

  test("waits for at most five of one person", async () => {
    const { store } = api.management;
    const others: PeerRow[] = [];
    for (const name of ["l1", "l2", "l3", "l4", "l5"]) {
      others.push(await aPeerOf(store, api.accountId, { name, kind: "device", owner: ada.user }));
    }
    for (const { id } of others) expect((await ask(machineBody({ device: id }))).status).toBe(200);
    expect((await ask()).status).toBe(429);
  });
});

describe("a decision", () => {
  let id: string;
  beforeEach(async () => {
    id = (await ask()).body.id;
  });

  test("is nobody's about their own request, approver or not", async () => {
    const theirs = (await ask(machineBody({ device: bobs.id }), bob)).body.id;
    expect(await decide(bob, theirs, "approve")).toMatchObject({
      status: 403,
      body: { message: "nobody decides about their own request" },
    });
    expect((await decide(ada, id, "approve")).status).toBe(403);
    expect((await decide(chief, theirs, "approve")).status).toBe(200);
  });

  test("is not an owner's where a rule names others; who may not see it finds nothing", async () => {
    const owner = await aSession(api, "owner");
    expect(await decide(owner, id, "approve")).toMatchObject({
      status: 403,
      body: { message: "you do not decide about this request" },
    });
    const nobody = await aSession(api, "user");
    expect((await decide(nobody, id, "approve")).status).toBe(404);
  });

  test("is not made by a token, nor by who is in the group for a while only", async () => {
    const token = await aTokenOf(api.management.store, chief.user);
    const { body } = await api.call("GET", `/api/access/requests/${id}`, undefined, token);
    const decision = { decision: "approve", digest: body.digest };
    const refused = await api.call("POST", `/api/access/requests/${id}/decision`, decision, token);
    expect(refused).toMatchObject({ status: 403, body: { error: "ERR_FORBIDDEN" } });
    const until = [{ groupId: chiefs, until: nowSeconds() + HOUR, requestId: null }];
    const guest = await aUserOf(api.management.store, api.accountId, { autoGroupsUntil: until });
    expect((await decide(await aSession(api, "user", guest), id, "approve")).status).toBe(404);
  });

  test("takes a sign-in of the last five minutes", async () => {
    api.management.clock.advanceMs(300_000);
    expect(await decide(chief, id, "approve")).toMatchObject({
      status: 403,
      body: { error: "ERR_REAUTH_REQUIRED" },
    });
    expect((await decide(await again(chief), id, "approve")).status).toBe(200);
  });

  test("is about what was shown", async () => {
    const stale = await decide(chief, id, "approve", { digest: "A".repeat(43) });
    expect(stale).toMatchObject({ status: 409, body: { message: "the request is not as it was shown" } });
  });

  test("never gives more than was asked for", async () => {
    const short = (await askForOps(600)).body.id;
    expect((await decide(chief, short, "approve", { seconds: 601 })).status).toBe(422);
  });

  test.each<[string, (who: TestSession) => Promise<unknown>, RegExp]>([
    ["approved", (who) => decide(who, id, "approve"), /is approved already/],
    ["denied", (who) => decide(who, id, "deny", { note: "not now" }), /is denied already/],
    ["taken back", () => as(ada, "DELETE", `/requests/${id}`), /is cancelled already/],
  ])("about what was %s is refused", async (_, before, message) => {
    await before(chief);
    const replayed = await decide(chief, id, "approve");
    expect([replayed.status, replayed.body.message]).toEqual([409, expect.stringMatching(message)]);
  });

  test("of two at once is made by one", async () => {
    const both = await Promise.all([decide(chief, id, "approve"), decide(bob, id, "deny")]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test("comes too late after an hour", async () => {
    api.management.clock.advanceMs(HOUR * 1_000);
    expect(await decide(await again(chief), id, "approve")).toMatchObject({
      status: 409,
      body: { message: "this request has expired" },
    });
    await endOverdue(api.management);
    chief = await again(chief);
    expect(await stateOf(id)).toBe("expired");
  });

  test("with its note is told to who asked; a wait ends with it", async () => {
    const waiting = as(ada, "GET", `/requests/${id}?wait_seconds=20`);
    await decide(chief, id, "deny", { note: "use web2 instead" });
    expect((await waiting).body).toMatchObject({ state: "denied", note: "use web2 instead" });
  });
});

describe("what was approved ends", () => {
  let id: string;
  beforeEach(async () => {
    id = (await ask()).body.id;
    expect((await decide(chief, id, "approve")).status).toBe(200);
  });

  test("with its person, and the log says so", async () => {
    expect((await api.call("DELETE", `/api/users/${ada.user.id}`)).status).toBe(200);
    const [event] = (await api.call("GET", "/api/events/audit?activity=access.end")).body;
    expect(event?.meta).toMatchObject({ cause: "requester_gone" });
  });

  const causeOf = async () =>
    (await api.call("GET", `/api/access/requests/${id}`)).body.end_cause as string | null;

  test.each<[string, () => Promise<Reply>, string]>([
    ["with its rule", () => api.call("DELETE", `/api/policies/${policyId}`), "rule_changed"],
    [
      "when its approver is blocked",
      () =>
        api.call("PUT", `/api/users/${chief.user.id}`, {
          ...{ role: "user", auto_groups: [chiefs], is_blocked: true },
        }),
      "approver_gone",
    ],
    [
      "when its approver is deleted",
      () => api.call("DELETE", `/api/users/${chief.user.id}`),
      "approver_gone",
    ],
    ["when its person gives it up", () => as(ada, "DELETE", `/requests/${id}`), "given_up"],
    ["when an owner takes it back", () => api.call("DELETE", `/api/access/requests/${id}`), "taken_back"],
  ])("%s", async (_, end, cause) => {
    expect((await end()).status).toBe(200);
    expect(await causeOf()).toBe(cause);
    expect(await approvalsAt(web1)).toEqual([]);
  });

  test("when its rule asks something else, and not when its name changes", async () => {
    const { body: policy } = await api.call("GET", `/api/policies/${policyId}`);
    const [rule] = policy.rules;
    const groups = { sources: [rule.sources[0].id], destinations: [rule.destinations[0].id] };
    const save = (change: Record<string, unknown>) =>
      api.call("PUT", `/api/policies/${policyId}`, aPolicyBody([{ ...rule, ...groups, ...change }]));
    expect((await save({ name: "renamed" })).status).toBe(200);
    expect(await causeOf()).toBeNull();
    expect((await save({ ssh: { require_approval: true, sftp: "off" } })).status).toBe(200);
    expect(await causeOf()).toBe("rule_changed");
  });

  test("by the clock, which the machine asks itself", async () => {
    api.management.clock.advanceMs(HOUR * 1_000);
    expect(await approvalsAt(web1)).toHaveLength(1);
    await endOverdue(api.management);
    expect(await causeOf()).toBe("time");
    expect(await approvalsAt(web1)).toEqual([]);
  });

  test("and is ended by nobody else, and once", async () => {
    const other = await aSession(api, "user");
    expect((await as(other, "DELETE", `/requests/${id}`)).status).toBe(404);
    const auditor = await aSession(api, "auditor");
    expect((await as(auditor, "DELETE", `/requests/${id}`)).status).toBe(403);
    expect((await as(chief, "DELETE", `/requests/${id}`)).status).toBe(200);
    expect((await as(chief, "DELETE", `/requests/${id}`)).status).toBe(409);
  });
});

describe("a group for a while", () => {
  const groupsOf = async () =>
    (await api.call("GET", "/api/users")).body.find((user: { id: string }) => user.id === ada.user.id);

  test("is listed, asked for, given until its end and taken away by it", async () => {
    expect((await as(ada, "GET", "/groups")).body).toMatchObject([
      { name: "ops", request_seconds_max: 28_800, approver_groups: [{ name: "chiefs" }], member: null },
    ]);
    const { id } = (await askForOps()).body;
    await decide(chief, id, "approve", { seconds: 600 });
    const until = new Date((nowSeconds() + 600) * 1_000).toISOString();
    expect((await groupsOf()).auto_groups_until).toEqual([{ group: ops, until, request: id }]);
    expect((await as(ada, "GET", "/groups")).body[0].member).toBe(until);
    api.management.clock.advanceMs(600_000);
    await endOverdue(api.management);
    expect((await groupsOf()).auto_groups_until).toBeUndefined();
    const codes = (await api.activities()).filter((code) => /^(access|user\.group)\./.test(code));
    expect(codes).toEqual([
      ...["access.request", "access.approve", "user.group.add", "access.end", "user.group.delete"],
    ]);
  });

  test("leaves what an administrator gave, and is left by that", async () => {
    const { id } = (await askForOps()).body;
    await decide(chief, id, "approve");
    const until = new Date((nowSeconds() + 60) * 1_000).toISOString();
    const body = { role: "user", auto_groups: ada.user.autoGroups, is_blocked: false };
    const put = (auto_groups_until: unknown) =>
      api.call("PUT", `/api/users/${ada.user.id}`, { ...body, auto_groups_until });
    expect((await put([{ group: chiefs, until }])).body.auto_groups_until).toHaveLength(2);
    expect((await put(undefined)).body.auto_groups_until).toHaveLength(2);
    expect((await put([])).body.auto_groups_until).toMatchObject([{ group: ops, request: id }]);
    expect((await put([{ group: chiefs, until: "2001-01-01T00:00:00Z" }])).status).toBe(422);
    await put([{ group: chiefs, until }]);
    api.management.clock.advanceMs(60_000);
    await endOverdue(api.management);
    expect((await groupsOf()).auto_groups_until).toMatchObject([{ group: ops }]);
  });

  test.each<[string, () => Promise<Reply>, number]>([
    ["that is not requestable", () => ask({ kind: "group", group: chiefs, reason: "why" }), 404],
    ["without a reason", () => ask({ kind: "group", group: ops }), 422],
    ["for longer than it allows", () => askForOps(28_801), 422],
  ])("is not asked for: one %s", async (_, attempt, status) => {
    expect((await attempt()).status).toBe(status);
  });

  test("is not asked for by who is in it", async () => {
    const change = { autoGroups: [ops] };
    await api.management.store.transaction((tx) => updateUser(tx, api.accountId, ada.user.id, change));
    expect((await askForOps()).status).toBe(409);
  });

  test("cannot be one that decides", async () => {
    const make = (name: string, settings: Record<string, unknown>) =>
      api.call("POST", "/api/groups", { name, ...settings });
    expect((await make("a", { approver_groups: [ops] })).status).toBe(422);
    const put = await api.call("PUT", `/api/groups/${chiefs}`, { name: "chiefs", requestable: true });
    expect(put.status).toBe(422);
    expect((await api.call("GET", `/api/groups/${ops}`)).body).toMatchObject({
      ...{ requestable: true, approver_groups: [chiefs] },
    });
    // What other clients do not know stays as it was.
    expect((await api.call("PUT", `/api/groups/${ops}`, { name: "ops" })).body.requestable).toBe(true);
  });
});
