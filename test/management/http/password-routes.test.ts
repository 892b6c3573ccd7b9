import { beforeEach, expect, spyOn, test } from "bun:test";
import { QfError } from "../../../src/base/errors.ts";
import { updateUser } from "../../../src/management/db/tables/users.ts";
import { createPasswordRoutes } from "../../../src/management/http/password-routes.ts";
import { databaseAccounts } from "../../../src/management/idp/database.ts";
import { createPasswordCheck } from "../../../src/management/idp/passwords.ts";
import type { AuditEvent } from "../../../src/wire/audit-event.ts";
import { TestApi } from "../../support/admin-api.ts";
import { aTokenOf } from "../../support/management.ts";

const ANN = { email: "ann@example.com", role: "user", auto_groups: [], is_service_user: false };

let api: TestApi;
let link = "";
let annId = "";
const failures: { email: string; sourceAddress: string }[] = [];
let routes: ReturnType<typeof createPasswordRoutes>;
beforeEach(async () => {
  api = await TestApi.open();
  const { management } = api;
  const made = (await api.call("POST", "/api/users", ANN)).body;
  link = made.invite_link;
  annId = made.id;
  const accounts = databaseAccounts(management.store);
  const passwords = createPasswordCheck({
    accounts,
    clock: management.clock,
    pause: async () => {},
    onFailure: async (failure) => void failures.push(failure),
  });
  routes = createPasswordRoutes({ ...management, passwords: () => passwords });
});

async function send(url: string, fields?: Record<string, string>, headers: Record<string, string> = {}) {
  const init = fields === undefined ? {} : { method: "POST", body: new URLSearchParams(fields), headers };
  const answer = await routes.fetch(new Request(url, init), { sourceAddress: "203.0.113.1" });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const chosen = (password: string, repeated = password) => ({ new_password: password, repeated });

test.each([
  ["two that differ", chosen("a good password", "another password"), 422],
  ["a short one", chosen("short"), 422],
  ["none", {}, 422],
  ["a good one", chosen("a good password"), 200],
])("by a link: %s", async (_, fields, status) => {
  expect((await send(link, fields)).status).toBe(status);
  expect((await send(link)).status).toBe(status === 200 ? 404 : 200);
});

test("a link of a person who was blocked meanwhile opens nothing", async () => {
  const { store } = api.management;
  await store.transaction((tx) => updateUser(tx, api.accountId, annId, { isBlocked: true }));
  expect([(await send(link)).status, (await send(link, chosen("a good password"))).status]).toEqual([
    403, 403,
  ]);
});

test("a link that is sent again and again has few passwords hashed at once, and works all the same", async () => {
  const gate = Promise.withResolvers<void>();
  const hash = spyOn(Bun.password, "hash");
  hash.mockClear();
  hash.mockImplementation(async () => {
    await gate.promise;
    return "$argon2id$chosen";
  });
  const sent = Array.from({ length: 40 }, () => send(link, chosen("a good password")));
  const refused: number[] = [];
  const allRefused = Promise.withResolvers<void>();
  for (const one of sent) void one.then(({ status }) => refused.push(status) === 35 && allRefused.resolve());
  // One is at work and four are in line.
  await allRefused.promise;
  expect([...new Set(refused)]).toEqual([429]);
  gate.resolve();
  const statuses = (await Promise.all(sent)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(hash.mock.calls.length).toBe(5);
  hash.mockRestore();
});

test("whoever has personal API tokens is told that they are still good", async () => {
  expect((await send(link, chosen("a good password"))).text).not.toContain("qf token list");
  await aTokenOf(api.management.store, { accountId: api.accountId, id: annId });
  const url = `${new URL(link).origin}/idp/password`;
  const fields = { email: "ann@example.com", password: "a good password", ...chosen("a better password") };
  expect((await send(url, fields)).text).toContain("qf token list");
  const events = (await api.call("GET", "/api/events/audit")).body;
  const change = events.find((one: AuditEvent) => one.activity_code === "user.password.change");
  expect(change.meta.tokens_kept).toBe("1");
});

test("a form of another site, an unknown secret and a provider elsewhere set nothing", async () => {
  const evil = await send(link, chosen("a good password"), { origin: "https://evil.example" });
  expect(evil.status).toBe(403);
  expect((await send(`${link.slice(0, -1)}_`, chosen("a good password"))).status).toBe(404);
  const passwords = () => {
    throw new QfError("ERR_NOT_FOUND", "people sign in with another identity provider");
  };
  routes = createPasswordRoutes({ ...api.management, passwords });
  expect((await send(link)).status).toBe(404);
});

test("pages run no script, are not stored, and name nobody but the link's person", async () => {
  const { headers, text } = await send(link);
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(headers.get("cache-control")).toBe("no-store");
  expect(text).toContain("ann@example.com");
  expect(text).not.toContain(link.split("/").at(-1) ?? "");
});

test("by the old password: a wrong one, the same again, and a new one", async () => {
  const url = `${new URL(link).origin}/idp/password`;
  await send(link, chosen("a good password"));
  const change = (password: string, fields: Record<string, string>) =>
    send(url, { email: "ann@example.com", password, ...fields });
  failures.length = 0;
  expect((await change("a wrong one", chosen("a better password"))).status).toBe(401);
  expect(failures).toEqual([{ email: "ann@example.com", sourceAddress: "203.0.113.1" }]);
  expect((await change("a good password", chosen("a good password"))).status).toBe(422);
  expect((await change("a good password", chosen("a better password"))).status).toBe(200);
  expect((await change("a good password", chosen("the best password"))).status).toBe(401);
  const codes = await api.activities();
  expect(codes).toContain("user.invite.link.accept");
  expect(codes).toContain("user.password.change");
});

test.each([
  ["/idp/interaction/abc", true],
  ["https://evil.example/", false],
  ["//evil.example/idp/interaction/abc", false],
  ["/idp/interaction/abc/../../../api", false],
  ['/idp/interaction/"><script>', false],
])("afterwards a person may go on to %p: %p", async (next, may) => {
  const url = `${new URL(link).origin}/idp/password?next=${encodeURIComponent(next)}`;
  expect((await send(url)).text.includes("?next=")).toBe(may);
});
