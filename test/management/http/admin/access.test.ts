import { beforeEach, describe, expect, test } from "bun:test";
import { newId, newSecret } from "../../../../src/base/random.ts";
import type { Writer } from "../../../../src/management/db/engine/transaction.ts";
import { ROLES } from "../../../../src/management/db/schema/accounts.ts";
import { insertAccessRequest } from "../../../../src/management/db/tables/access-requests.ts";
import { deleteToken, hashToken } from "../../../../src/management/db/tables/api-tokens.ts";
import { updateUser } from "../../../../src/management/db/tables/users.ts";
import { mayCall } from "../../../../src/management/http/admin/access.ts";
import { ADMIN_ROUTES } from "../../../../src/management/http/admin/app.ts";
import type { Route } from "../../../../src/management/http/admin/route.ts";
import { anAccessRequest } from "../../../support/access-request.ts";
import { aPolicyBody, aRuleBody, TestApi } from "../../../support/admin-api.ts";
import { anAccount, aPeerOf, aTokenOf, aUserOf } from "../../../support/management.ts";
import { offering } from "../../../support/offered-releases.ts";
import { aRecordingOf } from "../../../support/recording.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open({ releases: offering("1.2.0") });
});

/** Ids of everything in an account that a path can name. */
type Ids = Record<string, string>;

const WEBHOOK = { type: "webhook", url: "https://hook.example.com/in" };
const CHECKS = { nb_version_check: { min_version: "0.1" } };

/** A body that would be taken, for every route that has one. A new route fails here until it is added. */
const BODIES: Record<string, (ids: Ids) => unknown> = {
  "put /api/accounts/:accountId": () => ({
    settings: {
      peer_login_expiration_enabled: false,
      peer_login_expiration: 3600,
      peer_inactivity_expiration_enabled: false,
      peer_inactivity_expiration: 600,
      regular_users_view_blocked: true,
      peer_expose_enabled: false,
      peer_expose_groups: [],
    },
  }),
  "post /api/users": () => ({ name: "bot", role: "user", auto_groups: [], is_service_user: true }),
  "put /api/users/:userId": () => ({ role: "user", auto_groups: [], is_blocked: false }),
  "post /api/users/:userId/tokens": () => ({ name: "token", expires_in: 30 }),
  "put /api/peers/:peerId": () => ({
    name: "renamed",
    ssh_enabled: true,
    login_expiration_enabled: false,
    inactivity_expiration_enabled: false,
  }),
  "post /api/setup-keys": () => ({
    name: "key",
    type: "reusable",
    expires_in: 86_400,
    auto_groups: [],
    usage_limit: 0,
  }),
  "put /api/setup-keys/:keyId": () => ({ revoked: true, auto_groups: [] }),
  "post /api/groups": () => ({ name: `group ${newId()}` }),
  "put /api/groups/:groupId": () => ({ name: `group ${newId()}` }),
  "post /api/policies": (ids) =>
    aPolicyBody([aRuleBody({ sources: [ids.groupId], destinations: [ids.groupId] })], {
      name: `policy ${newId()}`,
    }),
  "put /api/policies/:policyId": (ids) =>
    aPolicyBody([aRuleBody({ sources: [ids.groupId], destinations: [ids.groupId] })], {
      name: `policy ${newId()}`,
    }),
  "post /api/posture-checks": () => ({ name: `check ${newId()}`, description: "", checks: CHECKS }),
  "post /api/sessions/:sessionId/kill": () => ({ reason: "maintenance" }),
  "post /api/audit-streams": () => ({ name: `stream ${newId()}`, target: WEBHOOK }),
  "put /api/audit-streams/:streamId": () => ({ name: `stream ${newId()}`, target: WEBHOOK }),
  "post /api/notifications": () => ({ name: `channel ${newId()}`, target: WEBHOOK }),
  "put /api/notifications/:channelId": () => ({ name: `channel ${newId()}`, target: WEBHOOK }),
  "post /api/rollouts": () => ({}),
  "post /api/policy/test": () => ({ text: "tests: []" }),
  "post /api/policy/diff": () => ({ text: "tests: []" }),
  "post /api/policy/apply": () => ({ text: "tests: []", version: 0, digest: "A".repeat(43) }),
  "post /api/access/requests": (ids) => ({ kind: "group", group: ids.groupId, reason: "a repair" }),
  "post /api/access/requests/:requestId/decision": () => ({ decision: "deny", digest: "none" }),
  "put /api/users/:userId/password": () => ({ old_password: "x", new_password: "long enough" }),
  "put /api/posture-checks/:postureCheckId": () => ({ name: "check", description: "", checks: CHECKS }),
};

/** What callers who may ask get where the test has nothing that fits: a password, a session of their own. */
const OUTCOMES: Readonly<Record<string, number>> = {
  // Nothing is lost.
  "post /api/events/audit/lost/acknowledge": 409,
  "post /api/users/:userId/invite": 409,
  "post /api/users/:userId/password-reset": 409,
  "put /api/users/:userId/password": 403,
  // The plan of another account's version.
  "post /api/policy/apply": 409,
  // Questions without a machine.
  "get /api/policy/who": 422,
  "get /api/policy/explain": 422,
  "delete /api/web-sessions/:sessionId": 404,
  // Machines that are only in the database have none.
  "get /api/sessions/:sessionId": 404,
  "post /api/sessions/:sessionId/kill": 404,
  // One goes on already, and it has not halted.
  "post /api/rollouts": 409,
  "post /api/rollouts/:rolloutId/resume": 409,
  // A group that cannot be asked for, and a decision by a token made by name.
  "post /api/access/requests": 404,
  "post /api/access/requests/:requestId/decision": 403,
};

/** One of everything, made by the owner of the account. */
async function furnish(token: string, accountId: string): Promise<Ids> {
  const make = async (path: string, body: unknown) => {
    const { status, body: made } = await api.call("POST", path, body, token);
    expect([path, status]).toEqual([path, 200]);
    return made;
  };
  const user = await aUserOf(api.management.store, accountId, { isServiceUser: true });
  const groupId = (await make("/api/groups", { name: "devs" })).id;
  const usedId = (await make("/api/groups", { name: "used" })).id;
  const peer = await aPeerOf(api.management.store, accountId, { name: `peer${newId()}` });
  const request = anAccessRequest({ accountId, userId: user.id, groupId });
  await api.management.store.transaction((tx) => insertAccessRequest(tx, request));
  const old = await aPeerOf(api.management.store, accountId, { name: `old${newId()}` });
  await api.call("DELETE", `/api/peers/${old.id}`, undefined, token);
  return {
    accountId,
    userId: user.id,
    tokenId: (await make(`/api/users/${user.id}/tokens`, { name: "t", expires_in: 1 })).personal_access_token
      .id,
    peerId: peer.id,
    requestId: request.id,
    recordingId: (await aRecordingOf(api.management.store, accountId)).id,
    name: old.dnsName,
    keyId: (await make("/api/setup-keys", BODIES["post /api/setup-keys"]?.({}))).id,
    groupId,
    policyId: (await make("/api/policies", BODIES["post /api/policies"]?.({ groupId: usedId }))).id,
    stateNumber: await aStateOf(accountId, () =>
      make("/api/policies", BODIES["post /api/policies"]?.({ groupId: usedId })),
    ),
    streamId: (await make("/api/audit-streams", { name: `s${newId()}`, target: WEBHOOK })).id,
    channelId: (await make("/api/notifications", { name: `c${newId()}`, target: WEBHOOK })).id,
    rolloutId: (await make("/api/rollouts", {})).id,
    postureCheckId: (await make("/api/posture-checks", { name: "c", checks: CHECKS })).id,
  };
}

/** The second one; in another account the third, which the own one does not have. */
async function aStateOf(accountId: string, change: () => Promise<unknown>): Promise<string> {
  if (accountId === api.accountId) return "2";
  await change();
  return "3";
}

const keyOf = (route: Route): string => `${route.method} ${route.path}`;
const pathOf = (route: Route, ids: Ids): string =>
  route.path.replace(/:(\w+)/g, (_, name: string) => ids[name] ?? `no-${name}`);
const bodyOf = (route: Route, ids: Ids): unknown => {
  if (route.body === undefined) return undefined;
  const make = BODIES[keyOf(route)];
  if (make === undefined) throw new Error(`no example body for ${keyOf(route)}`);
  return make(ids);
};

/** Some questions are too long for a path. */
const isReading = (route: Route): boolean => route.method === "get" || route.access === "read";

/** What a plain user gets of things that are not its own. */
const isHiddenFromUsers = (route: Route): boolean => route.access === "self" && route.path.includes(":");

test.each(ADMIN_ROUTES.map((route) => ({ name: keyOf(route), route })))(
  "$name asks for a token, a role, and an object of the caller's own account",
  async ({ route }) => {
    const ids = await furnish(api.owner, api.accountId);
    const other = await anAccount(api.management.store, "else@example.com");
    const foreign = await furnish(other.token, other.accountId);
    const body = bodyOf(route, ids);
    const path = pathOf(route, ids);

    expect((await api.call(route.method, path, body, null)).status).toBe(401);
    for (const role of ROLES) {
      const { token } = await api.tokenAs(role);
      if (path !== route.path) {
        const reply = await api.call(route.method, pathOf(route, foreign), body, token);
        expect([role, reply.status]).toEqual([role, mayCall(role, route.access) ? 404 : 403]);
      }
      const unknown = await api.call(route.method, pathOf(route, {}), body, token);
      if (path !== route.path) {
        expect([role, unknown.status]).toEqual([role, mayCall(role, route.access) ? 404 : 403]);
      }
    }
    // From the least to the most, since deleting succeeds once.
    for (const role of [...ROLES].reverse()) {
      const { token } = await api.tokenAs(role);
      const reply = await api.call(route.method, path, bodyOf(route, ids), token);
      const allowed = mayCall(role, route.access);
      if (!allowed) expect([role, reply.status]).toEqual([role, 403]);
      else if (!mayCall(role, "read") && isHiddenFromUsers(route))
        expect([role, reply.status]).toEqual([role, 404]);
      else if (!mayCall(role, "write") && !isReading(route) && OUTCOMES[keyOf(route)] === undefined)
        expect([role, reply.status]).toEqual([role, 403]);
      else {
        expect([role, reply.status]).toEqual([role, OUTCOMES[keyOf(route)] ?? 200]);
        if (route.method === "delete") break;
      }
    }
  },
  60_000,
);

test("every refusal has NetBird's shape with our code beside it", async () => {
  const { status, body, headers } = await api.call("GET", "/api/users", undefined, null);
  expect(status).toBe(401);
  expect(body).toEqual({
    code: 401,
    message: "a valid API token is needed",
    error: "ERR_UNAUTHENTICATED",
    hint: expect.any(String),
  });
  expect(headers.get("cache-control")).toBe("no-store");
});

test.each([
  ["Token", 200],
  ["Bearer", 200],
  ["token", 200],
  ["Basic", 401],
  ["", 401],
])("Authorization %p answers %p", async (scheme, status) => {
  const headers = { authorization: `${scheme} ${api.owner}`.trim() };
  expect((await api.send("GET", "/api/users/current", { headers })).status).toBe(status);
});

test("an ID token, or anything that is no API token of ours, is refused alike", async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const idToken = `${part({ alg: "EdDSA" })}.${part({ iss: "http://127.0.0.1:8080/idp" })}.${"A".repeat(86)}`;
  const answers = new Set<string>();
  for (const token of [
    idToken,
    "",
    "qfp_",
    `${api.owner} x`,
    `${api.owner}x`,
    `x${api.owner}`,
    "qfp_'; --",
  ]) {
    const { status, body } = await api.call("GET", "/api/users/current", undefined, token);
    answers.add(`${status} ${JSON.stringify(body)}`);
  }
  expect(answers.size).toBe(1);
  expect([...answers][0]).toStartWith("401");
});

test.each([
  ["qfs_", "a setup key"],
  ["qft_", "a token of scope ssh"],
])("a secret that begins with %s is named as %s, whether there is one or not", async (prefix, name) => {
  const { status, body } = await api.call("GET", "/api/users/current", undefined, newSecret(prefix));
  expect(status).toBe(401);
  expect(body.hint).toContain(name);
});

test("a token is found by its digest, which is all that is kept and opens nothing itself", async () => {
  const { store } = api.management;
  const kept = JSON.stringify(await store.read((tx) => tx.sql.select().from(tx.t.apiTokens)));
  expect(kept).toContain(hashToken(api.owner));
  expect(kept).not.toContain(api.owner);
  expect(kept).not.toContain(api.owner.slice(4));
  const answerTo = async (token: string): Promise<string> => {
    const { status, body } = await api.call("GET", "/api/users/current", undefined, token);
    return `${status} ${JSON.stringify(body)}`;
  };
  expect(await answerTo(api.owner)).toStartWith("200");
  const flip = (at: number): string =>
    `${api.owner.slice(0, at)}${api.owner[at] === "A" ? "B" : "A"}${api.owner.slice(at + 1)}`;
  const wrong = [
    ...[4, 20, api.owner.length - 1].map(flip),
    ...[api.owner.slice(0, -1), `${api.owner}A`, api.owner.toLowerCase(), api.owner.slice(4)],
    ...[hashToken(api.owner), `${api.owner.slice(0, 4)}${hashToken(api.owner)}`],
  ];
  const answers = new Set<string>();
  for (const token of wrong) answers.add(await answerTo(token));
  expect(answers.size).toBe(1);
  expect([...answers][0]).toStartWith("401");
});

test("a token of scope ssh, an expired one and a deleted one open nothing", async () => {
  const { store, clock } = api.management;
  const user = await aUserOf(store, api.accountId, { isServiceUser: true, role: "admin" });
  const ssh = await aTokenOf(store, user, { scope: "ssh" });
  expect((await api.call("GET", "/api/users/current", undefined, ssh)).status).toBe(401);
  const id = newId();
  const token = await aTokenOf(store, user, { id });
  expect((await api.call("GET", "/api/users/current", undefined, token)).status).toBe(200);
  await store.transaction((tx) => deleteToken(tx, api.accountId, id));
  expect((await api.call("GET", "/api/users/current", undefined, token)).status).toBe(401);
  const another = await aTokenOf(store, user);
  clock.advanceMs(86_401_000);
  expect((await api.call("GET", "/api/users/current", undefined, another)).status).toBe(401);
});

test.each([{ isBlocked: true }, { pendingApproval: true }])("a user with %p is refused", async (change) => {
  const { token, id } = await api.tokenAs("admin");
  await api.management.store.transaction((tx) => updateUser(tx, api.accountId, id, change));
  expect((await api.call("GET", "/api/users/current", undefined, token)).status).toBe(403);
});

test("a page of another origin changes nothing, and reads as anybody", async () => {
  const headers = {
    authorization: `Token ${api.owner}`,
    "content-type": "application/json",
    origin: "https://evil.example",
  };
  const body = JSON.stringify({ name: "g" });
  expect((await api.send("POST", "/api/groups", { headers, body })).status).toBe(403);
  expect(
    (await api.send("POST", "/api/groups", { headers: { ...headers, origin: "null" }, body })).status,
  ).toBe(403);
  const own = { ...headers, origin: "http://127.0.0.1:8080" };
  expect((await api.send("POST", "/api/groups", { headers: own, body })).status).toBe(200);
});

test("a name that is not ours is not answered to", async () => {
  const ask = (host: string) =>
    api.send("GET", "/api/users/current", { headers: { authorization: `Token ${api.owner}`, host } });
  for (const host of ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""]) {
    expect([host, (await ask(host)).status]).toEqual([host, 400]);
  }
  for (const host of ["127.0.0.1:8080", "localhost:9", "[::1]:8080", "192.0.2.1"]) {
    expect([host, (await ask(host)).status]).toEqual([host, 200]);
  }
});

test("a path that is not there is 404, a method that is not there 405", async () => {
  expect((await api.call("GET", "/api/nothing")).status).toBe(404);
  const { status, headers } = await api.call("PATCH", "/api/groups");
  expect([status, headers.get("allow")]).toEqual([405, "GET, POST, OPTIONS"]);
});

test("last_used is noted, but not at every request", async () => {
  const lastUsed = async () => {
    const { body } = await api.call("GET", `/api/users/${api.ownerId}/tokens`);
    return body[0].last_used;
  };
  const first = await lastUsed();
  api.management.clock.advanceMs(30_000);
  expect(await lastUsed()).toBe(first);
  api.management.clock.advanceMs(31_000);
  expect(await lastUsed()).not.toBe(first);
});

test.each([
  ["owner", 200],
  ["admin", 403],
  ["auditor", 403],
] as const)("an %s who deletes the account gets %i", async (role, status) => {
  const { token } = await api.tokenAs(role);
  const reply = await api.call("DELETE", `/api/accounts/${api.accountId}`, undefined, token);
  expect(reply.status).toBe(status);
});

describe("what happens between a request's arrival and its writing counts", () => {
  const user = { role: "admin" as const };
  test.each<{ what: string; status: number; meanwhile: (tx: Writer, ids: MeanwhileIds) => Promise<unknown> }>(
    [
      { what: "nothing", status: 200, meanwhile: async () => {} },
      {
        what: "the token is deleted",
        status: 401,
        meanwhile: (tx, ids) => deleteToken(tx, ids.accountId, ids.tokenId),
      },
      {
        what: "the user is blocked",
        status: 403,
        meanwhile: (tx, ids) => updateUser(tx, ids.accountId, ids.userId, { isBlocked: true }),
      },
      {
        what: "the role is taken",
        status: 403,
        meanwhile: (tx, ids) => updateUser(tx, ids.accountId, ids.userId, { role: "auditor" }),
      },
    ],
  )("$what: $status", async ({ status, meanwhile }) => {
    const { store } = api.management;
    const { id: userId } = await aUserOf(store, api.accountId, user);
    const ids = { accountId: api.accountId, userId, tokenId: newId() };
    const token = await aTokenOf(store, { id: userId, accountId: api.accountId }, { id: ids.tokenId });
    const change = store.change.bind(store);
    const overtaken: typeof store.change = async (options, fn) => {
      await store.transaction((tx) => meanwhile(tx, ids));
      return change(options, fn);
    };
    Object.assign(store, { change: overtaken });
    expect((await api.call("POST", "/api/groups", { name: "g" }, token)).status).toBe(status);
  });
});

interface MeanwhileIds {
  readonly accountId: string;
  readonly userId: string;
  readonly tokenId: string;
}
