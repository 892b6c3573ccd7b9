import { beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "../../../../src/base/random.ts";
import { insertLogin, listRevokedLogins } from "../../../../src/management/db/tables/logins.ts";
import { findReservedName } from "../../../../src/management/db/tables/peers.ts";
import { findPasswordUser } from "../../../../src/management/db/tables/sign-in.ts";
import { countOwners } from "../../../../src/management/db/tables/users.ts";
import { kindOfSecret } from "../../../../src/wire/secret-kind.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aManagement, aPeerOf, aTokenOf, aUserOf } from "../../../support/management.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

const person = { email: "Ann@Example.com", role: "user", auto_groups: [], is_service_user: false };
const request = { role: "user", auto_groups: [], is_blocked: false };

test("creating a person gives out an invitation link once, and no password works before it is used", async () => {
  const { status, body } = await api.call("POST", "/api/users", person);
  expect(status).toBe(200);
  expect(body).toMatchObject({ email: "ann@example.com", name: "ann", role: "user", status: "invited" });
  expect(body.invite_link).toMatch(/\/idp\/password\/[\w-]{43}$/);
  const found = await api.management.store.read((tx) => findPasswordUser(tx, { email: "ann@example.com" }));
  expect(found?.login.passwordHash).toBe("");
  const list = await api.call("GET", "/api/users");
  expect(JSON.stringify(list.body)).not.toContain("invite_link");
  expect(list.body.find((user: { id: string }) => user.id === body.id).status).toBe("invited");
  expect((await api.call("POST", "/api/users", { ...person, email: "ANN@example.com" })).status).toBe(409);
  expect((await api.activities()).sort()).toEqual(["user.create", "user.invite"]);
});

test("a first password that an administrator gives is never answered, and has to be replaced", async () => {
  const password = "given by an admin";
  const { status, body } = await api.call("POST", "/api/users", { ...person, password });
  expect([status, JSON.stringify(body).includes(password), body.invite_link]).toEqual([
    200,
    false,
    undefined,
  ]);
  const found = await api.management.store.read((tx) => findPasswordUser(tx, { email: "ann@example.com" }));
  expect(found?.login.mustChange).toBe(true);
  const bob = { ...person, email: "bob@example.com" };
  expect((await api.call("POST", "/api/users", { ...bob, password: "short" })).status).toBe(422);
  const service = { name: "bot", role: "user", auto_groups: [], is_service_user: true };
  expect((await api.call("POST", "/api/users", { ...service, password })).status).toBe(422);
});

test("secrets are given out once and are nowhere on disk", async () => {
  const { invite_link, id } = (await api.call("POST", "/api/users", person)).body;
  const service = { name: "bot", role: "user", auto_groups: [], is_service_user: true };
  const bot = (await api.call("POST", "/api/users", service)).body;
  expect(bot.invite_link).toBeUndefined();
  const token = (await api.call("POST", `/api/users/${bot.id}/tokens`, { name: "t", expires_in: 1 })).body;
  const key = (
    await api.call("POST", "/api/setup-keys", {
      name: "k",
      type: "one-off",
      expires_in: 86_400,
      auto_groups: [],
      usage_limit: 1,
    })
  ).body;
  const secrets: string[] = [invite_link.split("/").at(-1), token.plain_token, key.key];
  for (const secret of secrets) expect(secret.length).toBeGreaterThan(20);
  const later = [
    await api.call("GET", "/api/users"),
    await api.call("GET", `/api/users/${id}/tokens`),
    await api.call("GET", `/api/users/${bot.id}/tokens`),
    await api.call("GET", `/api/users/${bot.id}/tokens/${token.personal_access_token.id}`),
    await api.call("GET", "/api/setup-keys"),
    await api.call("GET", `/api/setup-keys/${key.id}`),
    await api.call("GET", "/api/events/audit"),
  ];
  for (const secret of secrets) expect(JSON.stringify(later)).not.toContain(secret.slice(4));
  await api.management.store.close();
  for (const name of readdirSync(api.management.dataDir)) {
    const bytes = readFileSync(join(api.management.dataDir, name));
    for (const secret of secrets) expect([name, bytes.includes(secret.slice(4))]).toEqual([name, false]);
  }
});

test("with an external provider people come by signing in, service users are made", async () => {
  const { oidc } = aManagement();
  const external = await TestApi.open({ oidc: { ...oidc, embedded: false, issuer: "https://idp.example" } });
  expect((await external.call("POST", "/api/users", person)).status).toBe(412);
  const service = { name: "bot", role: "user", auto_groups: [], is_service_user: true };
  expect((await external.call("POST", "/api/users", service)).status).toBe(200);
});

test.each([
  { name: "a person without e-mail", body: { ...person, email: undefined }, says: "email is missing" },
  { name: "an unknown group", body: { ...person, auto_groups: ["0".repeat(20)] }, says: "unknown group" },
  { name: "an e-mail with a line break", body: { ...person, email: "a@b.c\nx" }, says: "email" },
  { name: "a name that turns the line round", body: { ...person, name: "x\u202eli" }, says: "name" },
  { name: "an unknown role", body: { ...person, role: "root" }, says: "role must be one of owner" },
  { name: "a restriction misspelt", body: { ...person, pending_aproval: true }, says: "pending_aproval" },
])("creating $name is refused and names the field", async ({ body, says }) => {
  const reply = await api.call("POST", "/api/users", body);
  expect([reply.status, reply.body.error]).toEqual([422, "ERR_UNPROCESSABLE"]);
  expect(reply.body.message).toContain(says);
});

test("the group All is not given by hand", async () => {
  const all = await api.groupAll();
  expect((await api.call("POST", "/api/users", { ...person, auto_groups: [all] })).status).toBe(422);
});

interface ChangeRow {
  readonly by: "admin" | "owner";
  readonly what: string;
  readonly role: "owner" | "admin" | "user";
  /** How the user was before. */
  readonly groups?: boolean;
  readonly blocked?: boolean;
  readonly pending?: boolean;
  readonly body: object;
  readonly status: number;
}

const rows: readonly ChangeRow[] = [
  { by: "admin", what: "makes an owner", role: "user", body: { ...request, role: "owner" }, status: 403 },
  { by: "admin", what: "makes an admin", role: "user", body: { ...request, role: "admin" }, status: 200 },
  { by: "admin", what: "demotes an owner", role: "owner", body: request, status: 403 },
  {
    by: "admin",
    what: "blocks an owner",
    role: "owner",
    body: { ...request, role: "owner", is_blocked: true },
    status: 403,
  },
  {
    by: "admin",
    what: "blocks an admin",
    role: "admin",
    body: { ...request, role: "admin", is_blocked: true },
    status: 200,
  },
  {
    by: "admin",
    what: "empties the groups of an owner",
    role: "owner",
    groups: true,
    body: { ...request, role: "owner" },
    status: 403,
  },
  {
    by: "admin",
    what: "changes nothing of an owner",
    role: "owner",
    body: { ...request, role: "owner" },
    status: 200,
  },
  {
    by: "admin",
    what: "lifts the suspension of an owner",
    role: "owner",
    pending: true,
    body: { ...request, role: "owner", pending_approval: false },
    status: 403,
  },
  {
    by: "admin",
    what: "lifts the block of an owner",
    role: "owner",
    blocked: true,
    body: { ...request, role: "owner" },
    status: 403,
  },
  {
    by: "owner",
    what: "lifts the suspension of an owner",
    role: "owner",
    pending: true,
    body: { ...request, role: "owner", pending_approval: false },
    status: 200,
  },
  { by: "owner", what: "demotes an owner", role: "owner", body: request, status: 200 },
  { by: "owner", what: "makes an owner", role: "user", body: { ...request, role: "owner" }, status: 200 },
];

test.each(rows)("PUT: $by $what of role $role → $status", async ({ by, role, body, status, ...was }) => {
  const actor = await api.tokenAs(by);
  const autoGroups = was.groups === true ? [await api.aGroup("g")] : [];
  const change = { role, autoGroups, isBlocked: was.blocked === true, pendingApproval: was.pending === true };
  const user = await aUserOf(api.management.store, api.accountId, change);
  expect((await api.call("PUT", `/api/users/${user.id}`, body, actor.token)).status).toBe(status);
});

test.each(["owner", "admin"] as const)(
  "an %s neither changes own role nor locks themselves out",
  async (role) => {
    const { token, id } = await api.tokenAs(role);
    const put = (change: object) =>
      api.call("PUT", `/api/users/${id}`, { ...request, role, ...change }, token);
    expect((await put({ role: "user" })).status).toBe(403);
    expect((await put({ is_blocked: true })).status).toBe(403);
    expect((await put({ pending_approval: true })).status).toBe(403);
    expect((await api.call("DELETE", `/api/users/${id}`, undefined, token)).status).toBe(422);
    expect((await put({})).status).toBe(200);
  },
);

test("making somebody wait for approval again is a block: not of an owner by an admin, and in the log", async () => {
  const { token } = await api.tokenAs("admin");
  const body = { ...request, role: "owner", pending_approval: true };
  expect((await api.call("PUT", `/api/users/${api.ownerId}`, body, token)).status).toBe(403);
  expect((await api.call("GET", "/api/users/current")).status).toBe(200);
  const user = await aUserOf(api.management.store, api.accountId);
  await api.call("PUT", `/api/users/${user.id}`, { ...request, pending_approval: true }, token);
  expect(await api.activities()).toEqual(["user.block"]);
});

test("a service user is never an owner, whoever makes it one", async () => {
  const bot = { name: "bot", role: "owner", auto_groups: [], is_service_user: true };
  expect((await api.call("POST", "/api/users", bot)).status).toBe(422);
  const { id } = (await api.call("POST", "/api/users", { ...bot, role: "admin" })).body;
  expect((await api.call("PUT", `/api/users/${id}`, { ...request, role: "owner" })).status).toBe(422);
  // Its token is an admin's: the one human owner stays as they are.
  const token = (await api.call("POST", `/api/users/${id}/tokens`, { name: "t", expires_in: 1 })).body
    .plain_token;
  const body = { ...request, role: "owner" };
  const owner = `/api/users/${api.ownerId}`;
  for (const change of [{ role: "user" }, { is_blocked: true }, { pending_approval: true }]) {
    expect((await api.call("PUT", owner, { ...body, ...change }, token)).status).toBe(403);
  }
  expect((await api.call("DELETE", owner, undefined, token)).status).toBe(403);
});

test("two owners who demote, block or delete each other at once leave one owner", async () => {
  const other = await api.tokenAs("owner");
  const change = { ...request, role: "owner", is_blocked: true };
  const replies = await Promise.all([
    api.call("PUT", `/api/users/${other.id}`, change),
    api.call("PUT", `/api/users/${api.ownerId}`, change, other.token),
    api.call("PUT", `/api/users/${other.id}`, request),
    api.call("DELETE", `/api/users/${api.ownerId}`, undefined, other.token),
  ]);
  expect(replies.some(({ status }) => status === 200)).toBe(true);
  expect(await api.management.store.read((tx) => countOwners(tx, api.accountId))).toBe(1);
});

test("an owner who waits for approval, or is a machine's identity, does not count as one who remains", async () => {
  const { store } = api.management;
  await aUserOf(store, api.accountId, { role: "owner", pendingApproval: true });
  await aUserOf(store, api.accountId, { role: "owner", isServiceUser: true });
  await aUserOf(store, api.accountId, { role: "owner", isBlocked: true });
  expect(await store.read((tx) => countOwners(tx, api.accountId))).toBe(1);
});

test("an admin cannot delete an owner", async () => {
  const { token } = await api.tokenAs("admin");
  expect((await api.call("DELETE", `/api/users/${api.ownerId}`, undefined, token)).status).toBe(403);
});

test("an admin whose role is taken while another request runs does not become owner by it", async () => {
  const admin = await api.tokenAs("admin");
  const accomplice = await aUserOf(api.management.store, api.accountId);
  const demote = api.call("PUT", `/api/users/${admin.id}`, request);
  const promote = Array.from({ length: 10 }, () =>
    api.call("PUT", `/api/users/${accomplice.id}`, { ...request, role: "admin" }, admin.token),
  );
  const done = await demote;
  expect(done.status).toBe(200);
  const after = await Promise.all(promote);
  // Each ran wholly before the demotion or was refused after it; none after it succeeded.
  expect(after.every((reply) => reply.status === 200 || reply.status === 403)).toBe(true);
  const late = await api.call(
    "PUT",
    `/api/users/${accomplice.id}`,
    { ...request, role: "admin" },
    admin.token,
  );
  expect(late.status).toBe(403);
  const events = await api.call("GET", "/api/events/audit?after_seq=1");
  const codes = events.body.map((event: { initiator_id: string }) => event.initiator_id);
  const demotedAt = codes.indexOf(api.ownerId);
  expect(codes.slice(demotedAt + 1).includes(admin.id)).toBe(false);
});

test("blocking ends logins, tokens and raises the account's version", async () => {
  const { store, clock } = api.management;
  const user = await aUserOf(store, api.accountId);
  const token = await aTokenOf(store, user);
  const now = Math.floor(clock.nowMs() / 1000);
  const login = {
    id: newId(),
    accountId: api.accountId,
    loginKey: "A".repeat(43),
    userId: user.id,
    binding: "idp" as const,
    issuedAt: now,
    createdAt: now,
    until: now + 600,
  };
  await store.transaction((tx) => insertLogin(tx, login));
  const versions: number[] = [];
  store.onChange((_, version) => versions.push(version));
  const { body } = await api.call("PUT", `/api/users/${user.id}`, { ...request, is_blocked: true });
  expect(body).toMatchObject({ is_blocked: true, status: "blocked" });
  expect(versions).toHaveLength(1);
  expect(await store.read((tx) => listRevokedLogins(tx, api.accountId, 43_200))).toHaveLength(1);
  expect((await api.call("GET", "/api/users/current", undefined, token)).status).toBe(403);
  expect(await api.activities()).toEqual(["user.block"]);
});

test("each change of a user is an event of its own", async () => {
  const a = await api.aGroup("a");
  const b = await api.aGroup("b");
  const user = await aUserOf(api.management.store, api.accountId, { autoGroups: [a], pendingApproval: true });
  const body = { role: "auditor", auto_groups: [b], is_blocked: false, pending_approval: false };
  await api.call("PUT", `/api/users/${user.id}`, body);
  expect((await api.activities()).slice(2)).toEqual([
    "user.role.update",
    "user.approve",
    "user.group.add",
    "user.group.delete",
  ]);
});

test("deleting a user removes its devices, keeps their names, and ends its tokens", async () => {
  const { store } = api.management;
  const user = await aUserOf(store, api.accountId, { email: "ann@example.com" });
  const token = await aTokenOf(store, user);
  const device = await aPeerOf(store, api.accountId, { kind: "device", name: "laptop", owner: user });
  expect((await api.call("DELETE", `/api/users/${user.id}`)).status).toBe(200);
  expect((await api.call("GET", `/api/peers/${device.id}`)).status).toBe(404);
  expect((await api.call("GET", "/api/users/current", undefined, token)).status).toBe(401);
  const reserved = await store.read((tx) => findReservedName(tx, api.accountId, "laptop.ann.device"));
  expect(reserved?.peerId).toBe(device.id);
});

test("service_user filters the list", async () => {
  await aUserOf(api.management.store, api.accountId, { isServiceUser: true, name: "bot" });
  const names = async (query: string) =>
    (await api.call("GET", `/api/users${query}`)).body.map((user: { name: string }) => user.name).sort();
  expect(await names("")).toEqual(["bot", "owner"]);
  expect(await names("?service_user=true")).toEqual(["bot"]);
  expect(await names("?service_user=false")).toEqual(["owner"]);
  expect((await api.call("GET", "/api/users?service_user=maybe")).status).toBe(422);
});

const tokenRows = [
  { by: "user", whose: "self", status: 200 },
  { by: "auditor", whose: "self", status: 200 },
  { by: "admin", whose: "person", status: 403 },
  { by: "owner", whose: "person", status: 403 },
  { by: "admin", whose: "service", status: 200 },
  { by: "auditor", whose: "service", status: 403 },
  { by: "user", whose: "service", status: 404 },
  { by: "admin", whose: "admin service", status: 200 },
  { by: "auditor", whose: "admin service", status: 403 },
] as const;

test.each(tokenRows)("a token made by $by for $whose: $status", async ({ by, whose, status }) => {
  const { store } = api.management;
  const actor = await api.tokenAs(by);
  const role = whose === "admin service" ? "admin" : "user";
  const target =
    whose === "self"
      ? actor
      : await aUserOf(store, api.accountId, { role, isServiceUser: whose !== "person" });
  const body = { name: "t", expires_in: 1 };
  expect((await api.call("POST", `/api/users/${target.id}/tokens`, body, actor.token)).status).toBe(status);
});

test("scope ssh is for service users", async () => {
  const service = await aUserOf(api.management.store, api.accountId, { isServiceUser: true });
  const body = { name: "t", expires_in: 1, scope: "ssh" };
  expect((await api.call("POST", `/api/users/${api.ownerId}/tokens`, body)).status).toBe(422);
  const made = (await api.call("POST", `/api/users/${service.id}/tokens`, body)).body;
  expect(made.personal_access_token.scope).toBe("ssh");
  expect(kindOfSecret(made.plain_token)).toBe("ssh_token");
  expect((await api.call("GET", "/api/users/current", undefined, made.plain_token)).status).toBe(401);
});
