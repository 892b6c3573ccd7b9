/** A dashboard session opens the API to our own pages, as long as it lives and its person may. */
import { beforeEach, expect, test } from "bun:test";
import { updateUser } from "../../../../src/management/db/tables/users.ts";
import {
  deleteWebSessionsOf,
  WEB_SESSION_IDLE_SECONDS,
  WEB_SESSION_SECONDS,
} from "../../../../src/management/db/tables/web-sessions.ts";
import { recheck } from "../../../../src/management/http/admin/access.ts";
import { TestApi } from "../../../support/admin-api.ts";
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
