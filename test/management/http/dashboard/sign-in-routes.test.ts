/** Signing in to the dashboard, in process: which browser may come back, and what its token is worth. */
import { beforeEach, expect, test } from "bun:test";
import { updateUser } from "../../../../src/management/db/tables/users.ts";
import {
  findWebSession,
  listWebSessions,
  noteAsked,
} from "../../../../src/management/db/tables/web-sessions.ts";
import { createDashboardSignIn } from "../../../../src/management/http/dashboard/sign-in-routes.ts";
import type { HostedOrder, RelyingParty } from "../../../../src/management/idp/relying-party.ts";
import { type LoginLab, openLoginLab } from "../../../support/login-deps.ts";
import { ORIGIN } from "../../../support/management.ts";
import { aToken, type Claims } from "../../../support/tokens.ts";

let lab: LoginLab;
let app: ReturnType<typeof createDashboardSignIn>;
let orders: HostedOrder[];
let redeem: RelyingParty["redeem"];
beforeEach(async () => {
  lab = await openLoginLab();
  orders = [];
  redeem = async () => tokens({});
  app = createDashboardSignIn({
    login: lab.deps,
    relyingParty: {
      async authorizationUrl(order) {
        orders.push(order);
        return `https://idp.example.com/auth?state=${order.state}`;
      },
      redeem: (answer) => redeem(answer),
      userInfo: async () => null,
    },
  });
});

const tokens = (claims: Claims) => ({
  idToken: aToken({ claims: { nonce: orders.at(-1)?.nonce, ...claims } }),
  accessToken: null,
});

const from = { sourceAddress: "192.0.2.9" };

/** A browser on its way to the provider: its cookie. */
async function leave(to = "/machines"): Promise<string> {
  const response = await app.request(
    `${ORIGIN}/login/dashboard?to=${encodeURIComponent(to)}`,
    { headers: { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" } },
    from,
  );
  expect(response.status).toBe(303);
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

const comeBack = (cookie: string, state = orders.at(-1)?.state ?? "") =>
  app.request(
    `${ORIGIN}/login/callback?code=x&state=${state}`,
    { headers: { cookie, "user-agent": "Firefox" } },
    from,
  );

const sessionOf = (response: Response): string | undefined =>
  response.headers
    .getSetCookie()
    .map((line) => /^__Host-qf_session=([\w-]{43});/.exec(line)?.[1])
    .find(Boolean);

const sessions = () => lab.ctx.store.read((tx) => listWebSessions(tx, lab.account.id, lab.anna.id));

test("the browser that left comes back with a session, to the page it came from", async () => {
  const response = await comeBack(await leave("/machines?q=web"));
  expect([response.status, response.headers.get("location")]).toEqual([303, "/machines?q=web"]);
  const secret = sessionOf(response) ?? "";
  const found = await lab.ctx.store.read((tx) => findWebSession(tx, { secret }));
  expect(found?.user.id).toBe(lab.anna.id);
  expect(found?.session).toMatchObject({ sourceAddress: "192.0.2.9", browser: "Firefox" });
});

test("each sign-in is another session, with another nonce", async () => {
  const first = sessionOf(await comeBack(await leave()));
  const second = sessionOf(await comeBack(await leave()));
  expect(first).not.toBe(second);
  expect(orders[0]?.nonce).not.toBe(orders[1]?.nonce);
});

test("the address it came from is never another server's", async () => {
  const response = await comeBack(await leave("//evil.example"));
  expect(response.headers.get("location")).toBe("/");
});

test.each<[what: string, back: (cookie: string) => Promise<Response> | Response]>([
  ["without its cookie", () => comeBack("")],
  [
    "with another browser's",
    async (cookie) => {
      const { state } = orders[0] ?? { state: "" };
      await leave();
      return comeBack(cookie, `${state}x`);
    },
  ],
  [
    "with the state of another sign-in",
    async (cookie) => {
      await leave();
      return comeBack(cookie, orders.at(-1)?.state);
    },
  ],
])("%s nobody comes back", async (_what, back) => {
  const response = await back(await leave());
  expect([response.status, sessionOf(response)]).toEqual([403, undefined]);
  expect(await sessions()).toEqual([]);
});

test.each<[what: string, claims: Claims]>([
  ["of another sign-in", { nonce: "another" }],
  ["without a nonce", { nonce: undefined }],
  ["for another client", { aud: "another" }],
  ["that has expired", { exp: 1 }],
])("a token %s makes no session", async (_what, claims) => {
  redeem = async () => tokens(claims);
  const response = await comeBack(await leave());
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(await sessions()).toEqual([]);
});

test.each([{ isBlocked: true }, { pendingApproval: true }])(
  "nobody who may not sign in does: %j",
  async (change) => {
    await lab.ctx.store.transaction((tx) => updateUser(tx, lab.account.id, lab.anna.id, change));
    const response = await comeBack(await leave());
    expect(response.status).toBe(403);
    expect(await sessions()).toEqual([]);
  },
);

test("a person has at most twenty sessions; the oldest ends for another", async () => {
  const [first] = [await comeBack(await leave()), ...(await many(20))].map(sessionOf);
  expect(await sessions()).toHaveLength(20);
  expect(await lab.ctx.store.read((tx) => findWebSession(tx, { secret: first ?? "" }))).toBeUndefined();
});

async function many(count: number): Promise<Response[]> {
  const all: Response[] = [];
  for (let i = 0; i < count; i++) {
    lab.ctx.clock.advanceMs(1_000);
    all.push(await comeBack(await leave()));
  }
  return all;
}

test("a sign-in is not begun by a script or a frame", async () => {
  const headers = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" };
  expect((await app.request(`${ORIGIN}/login/dashboard`, { headers }, from)).status).toBe(403);
});

const DIGEST = "d".repeat(43);

/** A session that was refused the request of DIGEST, and its way to the provider and back for that. */
async function askedSession(): Promise<{ secret: string; id: string }> {
  const secret = sessionOf(await comeBack(await leave())) ?? "";
  const found = await lab.ctx.store.read((tx) => findWebSession(tx, { secret }));
  const id = found?.session.id ?? "";
  const asked = { digest: DIGEST, facts: [["Action", "Makes a token"]] as const };
  await lab.ctx.store.transaction((tx) => noteAsked(tx, id, asked));
  return { secret, id };
}

async function confirmBy(secret: string, digest = DIGEST): Promise<Response> {
  const left = await app.request(`${ORIGIN}/login/dashboard?confirm=${digest}`, {}, from);
  const cookie = left.headers.get("set-cookie")?.split(";")[0] ?? "";
  const now = Math.floor(lab.ctx.clock.nowMs() / 1000);
  redeem = async () => tokens({ auth_time: now });
  return comeBack(`${cookie}; __Host-qf_session=${secret}`);
}

const submit = (secret: string, proof: string, digest = DIGEST) =>
  app.request(
    `${ORIGIN}/login/dashboard`,
    {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        cookie: `__Host-qf_session=${secret}`,
      },
      body: new URLSearchParams({ digest, proof }).toString(),
    },
    from,
  );

const confirmedOf = async (id: string) =>
  (await lab.ctx.store.read((tx) => findWebSession(tx, { id })))?.session.confirmedDigest ?? null;

test("a request is confirmed on a page after a fresh sign-in, by its form alone", async () => {
  const { secret, id } = await askedSession();
  const response = await confirmBy(secret);
  expect(response.status).toBe(200);
  const text = await response.text();
  expect(text).toContain("Makes a token");
  expect(await confirmedOf(id)).toBeNull();
  const renewed = sessionOf(response) ?? "";
  const proof = /name="proof" value="([\w-]+)"/.exec(text)?.[1] ?? "";
  // Neither who has the old secret, nor a script that knows the digest but not the page.
  for (const [by, what] of [
    [secret, proof],
    [renewed, "x".repeat(43)],
  ] as const) {
    expect((await submit(by, what)).status).toBe(403);
  }
  expect((await submit(renewed, proof, "e".repeat(43))).status).toBe(403);
  expect(await confirmedOf(id)).toBeNull();
  expect((await submit(renewed, proof)).status).toBe(200);
  expect(await confirmedOf(id)).toBe(DIGEST);
  expect((await submit(renewed, proof)).status).toBe(403);
});

test("a renewed session is the same one under another secret", async () => {
  const { secret, id } = await askedSession();
  const renewed = sessionOf(await confirmBy(secret)) ?? "";
  const found = (by: string) => lab.ctx.store.read((tx) => findWebSession(tx, { secret: by }));
  expect(await found(secret)).toBeUndefined();
  expect((await found(renewed))?.session.id).toBe(id);
  expect(await sessions()).toHaveLength(1);
});

test("a confirmation that was not used does not outlive the sign-in that it was given at", async () => {
  const { secret, id } = await askedSession();
  const first = await confirmBy(secret);
  const renewed = sessionOf(first) ?? "";
  const proof = /name="proof" value="([\w-]+)"/.exec(await first.text())?.[1] ?? "";
  expect((await submit(renewed, proof)).status).toBe(200);
  const other = { digest: "e".repeat(43), facts: [["Action", "Deletes the account"]] as const };
  await lab.ctx.store.transaction((tx) => noteAsked(tx, id, other));
  expect(await confirmedOf(id)).toBe(DIGEST);
  expect((await confirmBy(renewed, other.digest)).status).toBe(200);
  expect(await confirmedOf(id)).toBeNull();
});

test.each<[what: string, confirm: (secret: string) => Promise<Response>]>([
  ["another request than the one that was refused", (secret) => confirmBy(secret, "e".repeat(43))],
  ["without the session", () => confirmBy("")],
])("nothing is to be confirmed: %s", async (_what, confirm) => {
  const { secret, id } = await askedSession();
  const response = await confirm(secret);
  expect([response.status, sessionOf(response)]).toEqual([403, undefined]);
  expect(await confirmedOf(id)).toBeNull();
});
