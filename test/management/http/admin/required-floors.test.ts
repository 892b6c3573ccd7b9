/** What groups require is not lowered by a token that no fresh sign-in gave, whichever way it tries. */
import { beforeEach, expect, test } from "bun:test";
import type { ChangeWriter } from "../../../../src/management/db/store.ts";
import { setGroupPeers } from "../../../../src/management/db/tables/groups.ts";
import { withFloors } from "../../../../src/management/http/admin/required-floors.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, aTokenOf, aUserOf } from "../../../support/management.ts";

const REQUIRED = { record: "required" } as const;

let api: TestApi;
let token: string;
let web1: string;
let web2: string;
let db: string;
beforeEach(async () => {
  api = await TestApi.open();
  const { store } = api.management;
  token = await aTokenOf(store, { id: api.ownerId, accountId: api.accountId }, { scope: "api" });
  web1 = (await aPeerOf(store, api.accountId, { name: "web1" })).id;
  web2 = (await aPeerOf(store, api.accountId, { name: "web2" })).id;
  db = await aGroup("db", [web1], REQUIRED);
});

async function aGroup(name: string, peers: readonly string[], require: object): Promise<string> {
  return (await api.call("POST", "/api/groups", { name, peers, require })).body.id;
}

const as = (method: string, path: string, body?: object) => api.call(method, path, body, token);
const put = (change: object, id = db) => as("PUT", `/api/groups/${id}`, { name: "db", ...change });
const membersOf = async (id: string): Promise<string[]> =>
  (await api.call("GET", `/api/groups/${id}`)).body.peers.map((peer: { id: string }) => peer.id);

async function applied(change: (text: string) => string) {
  const text = change((await api.call("GET", "/api/policy/file")).body.text);
  const { version, digest } = (await api.call("POST", "/api/policy/diff", { text })).body;
  return as("POST", "/api/policy/apply", { text, version, digest });
}

test.each([
  ["no peers", () => put({ peers: [] })],
  ["peers left out", () => put({})],
  ["another machine in its place", () => put({ peers: [web2] })],
  ["a name and no peers", () => put({ name: "renamed", peers: [] })],
  ["its deletion", () => as("DELETE", `/api/groups/${db}`)],
  ["less that it requires", () => put({ peers: [web1], require: { record: "off" } })],
  ["less, with another machine", () => put({ peers: [web1, web2], require: { record: "best_effort" } })],
  ["a policy file that requires less", () => applied((text) => text.replace("required", "best_effort"))],
] as const)("%s is refused, and nothing has changed", async (_, change) => {
  const before = await api.activities();
  expect(await change()).toMatchObject({ status: 403, body: { error: "ERR_FORBIDDEN" } });
  expect((await api.call("GET", `/api/groups/${db}`)).body.require).toEqual(REQUIRED);
  expect(await membersOf(db)).toEqual([web1]);
  expect(await api.activities()).toEqual(before);
});

test("a group without machines that requires something is not deleted either", async () => {
  const empty = await aGroup("empty", [], { reason: true });
  expect((await as("DELETE", `/api/groups/${empty}`)).status).toBe(403);
});

test.each([
  ["the same machines", async () => put({ peers: [web1] })],
  ["one more machine", async () => put({ peers: [web1, web2] })],
  ["more that it requires", async () => put({ peers: [web1], require: { reason: true } })],
  [
    "a machine out of a group that requires nothing",
    async () => put({ name: "web" }, await aGroup("web", [web1], {})),
  ],
  [
    "the deletion of a group that requires nothing",
    async () => as("DELETE", `/api/groups/${await aGroup("web", [web1], {})}`),
  ],
  ["the deletion of the machine", async () => as("DELETE", `/api/peers/${web1}`)],
  [
    "a machine out of a group while another requires as much of it",
    async () => {
      await aGroup("also", [web1], { record: "required", reason: true });
      return put({});
    },
  ],
] as const)("%s takes no fresh sign-in", async (_, change) => {
  expect((await change()).status).toBe(200);
});

test("a change is not asked about for who left by one before it", async () => {
  await api.management.store.transaction((tx) => setGroupPeers(tx, db, []));
  expect((await as("PUT", `/api/groups/${await api.aGroup("web")}`, { name: "www" })).status).toBe(200);
});

/** How many queries `withFloors` makes around `change`. */
async function queriesAround(change: (tx: ChangeWriter) => Promise<void>): Promise<number> {
  const { accountId, management } = api;
  const options = { accountId, initiator: { id: "", name: "", email: "" }, affectsMaps: true };
  return await management.store.change(options, async (tx) => {
    let queries = 0;
    const sql = new Proxy(tx.sql, {
      get(target, key) {
        if (key === "select") queries += 1;
        return Reflect.get(target, key, target);
      },
    });
    await withFloors(Object.assign(Object.create(tx), { sql }), { accountId, onLess: async () => {} }, () =>
      change(tx),
    );
    return queries;
  });
}

test("the comparison costs what was changed, not what is required", async () => {
  const { store } = api.management;
  const peers = [web1];
  for (let i = 0; i < 20; i++) peers.push((await aPeerOf(store, api.accountId, { name: `m${i}` })).id);
  for (let i = 0; i < 20; i++) await aGroup(`g${i}`, peers, REQUIRED);
  expect(await queriesAround(async () => {})).toBe(4);
  expect(await queriesAround((tx) => setGroupPeers(tx, db, [web2]))).toBe(5);
  const none = (await api.call("GET", "/api/groups")).body as { id: string; require?: object }[];
  for (const { id, require } of none) if (require) await api.call("DELETE", `/api/groups/${id}`);
  expect(await queriesAround(async () => {})).toBe(1);
});

test("a machine leaves while another group requires less of it: refused", async () => {
  await aGroup("also", [web1], { record: "best_effort", reason: true });
  expect((await put({})).status).toBe(403);
});

/** That people need an approval at web1 is tested, and is so only by the group `db`. */
async function testedGroup(): Promise<void> {
  const autoGroups = [await api.aGroup("developers")];
  const user = await aUserOf(api.management.store, api.accountId, { email: "ada@example.com", autoGroups });
  await aPeerOf(api.management.store, api.accountId, { kind: "device", name: "laptop", owner: user });
  const require = { approval: true };
  await api.call("PUT", `/api/groups/${db}`, { name: "db", peers: [web1], require });
  const text = `policies:
  - name: all
    rules:
      - {sources: [All], destinations: [All], authorized_groups: {developers: [deploy]}}
tests:
  - {user: ada@example.com, machine: web1, local_user: deploy, expect: deny, reason: approval_required}
`;
  const { version, digest, tests } = (await api.call("POST", "/api/policy/diff", { text })).body;
  expect(tests).toMatchObject({ passed: 1 });
  expect((await api.call("POST", "/api/policy/apply", { text, version, digest })).status).toBe(200);
}

test.each([
  ["emptied", (query: string) => api.call("PUT", `/api/groups/${db}${query}`, { name: "db" })],
  ["deleted", (query: string) => api.call("DELETE", `/api/groups/${db}${query}`)],
] as const)("a group that a policy test depends on is not %s, but by force", async (_, change) => {
  await testedGroup();
  expect(await change("")).toMatchObject({ status: 409, body: { error: "ERR_CONFLICT" } });
  expect(await membersOf(db)).toEqual([web1]);
  expect((await change("?force=true")).status).toBe(200);
  expect(await api.activities()).toContain("policy.force");
});

test("a group that no policy test depends on is deleted", async () => {
  await testedGroup();
  const web = await aGroup("web", [web1], {});
  expect((await api.call("DELETE", `/api/groups/${web}`)).status).toBe(200);
});
