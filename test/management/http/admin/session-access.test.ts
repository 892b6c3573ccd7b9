/** A dashboard session opens the API to our own pages, as long as it lives and its person may. */
import { beforeEach, expect, test } from "bun:test";
import { updateUser } from "../../../../src/management/db/tables/users.ts";
import {
  deleteWebSessionsOf,
  WEB_SESSION_IDLE_SECONDS,
  WEB_SESSION_SECONDS,
} from "../../../../src/management/db/tables/web-sessions.ts";
import { recheck } from "../../../../src/management/http/admin/access.ts";
import { ADMIN_ROUTES } from "../../../../src/management/http/admin/app.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aUserOf } from "../../../support/management.ts";
import { aSession, fromPage, type TestSession } from "../../../support/web-session.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

test("a session reads and changes what its role may", async () => {
  const admin = await aSession(api);
  expect((await api.send("GET", "/api/peers", fromPage(admin.secret))).status).toBe(200);
  const plain = await aSession(api, "user");
  expect((await api.send("GET", "/api/users/current", fromPage(plain.secret))).body.id).toBe(plain.user.id);
  expect((await api.send("GET", "/api/policies", fromPage(plain.secret))).status).toBe(403);
});

test("without the header of our pages it is worth nothing", async () => {
  const { secret } = await aSession(api);
  const cookie = `__Host-qf_session=${secret}`;
  expect((await api.send("GET", "/api/peers", { headers: { cookie } })).status).toBe(401);
});

test("beside a token the cookie is not looked at", async () => {
  const { secret } = await aSession(api, "owner");
  const { token } = await api.tokenAs("user");
  const answer = await api.send(
    "GET",
    "/api/policies",
    fromPage(secret, { authorization: `Token ${token}` }),
  );
  expect(answer.status).toBe(403);
  const wrong = await api.send("GET", "/api/peers", fromPage(secret, { authorization: "Token qfp_wrong" }));
  expect(wrong.status).toBe(401);
});

test.each<[what: string, happen: (session: TestSession) => Promise<unknown>, status: number]>([
  ["nothing", async () => {}, 200],
  [
    "an hour without a request",
    async () => api.management.clock.advanceMs(WEB_SESSION_IDLE_SECONDS * 1000),
    401,
  ],
  [
    "an end by hand",
    ({ user }) => api.management.store.transaction((tx) => deleteWebSessionsOf(tx, user.id)),
    401,
  ],
  [
    "a block",
    ({ user }) =>
      api.management.store.transaction((tx) => updateUser(tx, api.accountId, user.id, { isBlocked: true })),
    403,
  ],
])("after %s", async (_what, happen, status) => {
  const session = await aSession(api);
  await happen(session);
  expect((await api.send("GET", "/api/peers", fromPage(session.secret))).status).toBe(status);
});

test("however busy, it is over after twelve hours", async () => {
  const { secret } = await aSession(api);
  for (let passed = 0; passed < WEB_SESSION_SECONDS - 1_800; passed += 1_800) {
    expect((await api.send("GET", "/api/users/current", fromPage(secret))).status).toBe(200);
    api.management.clock.advanceMs(1_800_000);
  }
  api.management.clock.advanceMs(1_800_000);
  expect((await api.send("GET", "/api/users/current", fromPage(secret))).status).toBe(401);
});

test("a session that was ended meanwhile writes nothing", async () => {
  const { user, id } = await aSession(api);
  const { store } = api.management;
  const principal = { user, credential: { kind: "session" as const, id } };
  await store.read((tx) => recheck(tx, principal, "write"));
  await store.transaction((tx) => deleteWebSessionsOf(tx, user.id));
  const again = store.read((tx) => recheck(tx, principal, "write"));
  expect(again).rejects.toMatchObject({ code: "ERR_UNAUTHENTICATED" });
});

test("what would make a stolen session last takes a sign-in of the last two minutes", async () => {
  const routes = ADMIN_ROUTES.filter(({ reauth }) => reauth === true);
  expect(routes.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "delete /api/accounts/:accountId",
    "post /api/users/:userId/password-reset",
    "post /api/users/:userId/tokens",
    "post /api/audit-streams",
    "put /api/audit-streams/:streamId",
    "delete /api/audit-streams/:streamId",
    "delete /api/recordings/:recordingId",
  ]);
  const owner = await aSession(api, "owner");
  const { headers } = fromPage(owner.secret);
  const makeToken = () =>
    api.send("POST", `/api/users/${owner.user.id}/tokens`, {
      headers: { ...(headers as Record<string, string>), "content-type": "application/json" },
      body: JSON.stringify({ name: "mine", expires_in: 1 }),
    });
  api.management.clock.advanceMs(119_000);
  expect((await makeToken()).status).toBe(200);
  api.management.clock.advanceMs(1_000);
  expect(await makeToken()).toMatchObject({ status: 403, body: { error: "ERR_REAUTH_REQUIRED" } });
});

test("so does making somebody an owner or admin; what grants less does not", async () => {
  const owner = await aSession(api, "owner");
  const bob = await aUserOf(api.management.store, api.accountId, { role: "user" });
  const { headers } = fromPage(owner.secret);
  const send = (method: string, path: string, body: object) =>
    api.send(method, path, {
      method,
      headers: { ...(headers as Record<string, string>), "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const setRole = (role: string) =>
    send("PUT", `/api/users/${bob.id}`, { role, auto_groups: [], is_blocked: false });
  const create = (role: string, name: string) =>
    send("POST", "/api/users", { role, auto_groups: [], is_service_user: true, name });
  expect([(await setRole("admin")).status, (await create("admin", "robot")).status]).toEqual([200, 200]);
  api.management.clock.advanceMs(120_000);
  // What stays as it is, and what takes a role away.
  for (const role of ["admin", "user", "auditor"]) expect((await setRole(role)).status).toBe(200);
  expect((await create("user", "reader")).status).toBe(200);
  const refused = { status: 403, body: { error: "ERR_REAUTH_REQUIRED" } };
  for (const role of ["admin", "owner"]) expect(await setRole(role)).toMatchObject(refused);
  expect(await create("admin", "another")).toMatchObject(refused);
  const { token } = await api.tokenAs("owner");
  const byToken = { role: "admin", auto_groups: [], is_blocked: false };
  expect((await api.call("PUT", `/api/users/${bob.id}`, byToken, token)).status).toBe(200);
});

test("so does keeping less: a shorter retention, no recording, others who open recordings", async () => {
  const admin = await aSession(api);
  const { headers } = fromPage(admin.secret);
  const set = async (change: object) => {
    const [{ settings }] = (await api.call("GET", "/api/accounts")).body;
    return api.send("PUT", `/api/accounts/${api.accountId}`, {
      method: "PUT",
      headers: { ...(headers as Record<string, string>), "content-type": "application/json" },
      body: JSON.stringify({ settings: { ...settings, ...change } }),
    });
  };
  const recipient = `age1${"q".repeat(58)}`;
  expect((await set({ recording_recipients: [recipient] })).status).toBe(200);
  api.management.clock.advanceMs(120_000);
  const more = { audit_retention_days: 400, recording_retention_days: 100, require: { record: "required" } };
  for (const change of [{}, more, { organization_name: "Example" }]) {
    expect((await set(change)).status).toBe(200);
  }
  for (const change of [
    { audit_retention_days: 399 },
    { recording_retention_days: 99 },
    { require: { record: "best_effort" } },
    { require: { record: "off" } },
    { recording_recipients: [] },
  ]) {
    expect(await set(change)).toMatchObject({ status: 403, body: { error: "ERR_REAUTH_REQUIRED" } });
  }
});
