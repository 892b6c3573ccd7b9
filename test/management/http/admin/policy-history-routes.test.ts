/** Earlier states of the policies over the API, against a real store. */
import { beforeEach, expect, test } from "bun:test";
import { lt, sql } from "drizzle-orm";
import { aPolicyBody, aRuleBody, TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, aUserOf } from "../../../support/management.ts";

let api: TestApi;
let web: string;
beforeEach(async () => {
  api = await TestApi.open();
  const { store } = api.management;
  await aUserOf(store, api.accountId, { email: "ada@example.com" });
  web = await api.aGroup("web", [
    (await aPeerOf(store, api.accountId, { kind: "machine", name: "web1" })).id,
  ]);
});

interface Entry {
  readonly number: number;
  readonly by: { readonly name: string } | null;
  readonly via: string;
  readonly reason: string;
  readonly current: boolean;
  readonly changes: readonly object[];
  readonly text: string;
  readonly file: object;
}

const history = async (query = ""): Promise<Entry[]> =>
  (await api.call("GET", `/api/policy/history${query}`)).body;
const stateOf = (number: number | string) => api.call("GET", `/api/policy/history/${number}`);
const aPolicy = (name: string, localUser: string) =>
  aPolicyBody(
    [aRuleBody({ sources: [web], destinations: [web], authorized_groups: { [web]: [localUser] } })].map(
      (rule) => ({ ...rule, name: "them" }),
    ),
    { name },
  );
const create = async (name: string, localUser = "deploy"): Promise<string> => {
  const { status, body } = await api.call("POST", "/api/policies", aPolicy(name, localUser));
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body.id;
};
const apply = async (given: object, more: object = {}) => {
  const { body: diff } = await api.call("POST", "/api/policy/diff", { ...given, days: 0 });
  const { version, digest } = diff;
  return api.call("POST", "/api/policy/apply", { ...given, version, digest, force: true, ...more });
};

test("each save is a state with who made it and what it changed, the newest in force", async () => {
  const id = await create("deploy");
  const { body: policy } = await api.call("GET", `/api/policies/${id}`);
  const [rule] = policy.rules;
  const changed = {
    ...aPolicy("deploy", "web"),
    rules: [{ ...aPolicy("deploy", "web").rules[0], id: rule.id }],
  };
  expect((await api.call("PUT", `/api/policies/${id}`, changed)).status).toBe(200);
  expect((await api.call("DELETE", `/api/policies/${id}`)).status).toBe(200);
  const entries = await history();
  expect(entries.map(({ number, current }) => [number, current])).toEqual([
    [4, true],
    [3, false],
    [2, false],
    [1, false],
  ]);
  expect(entries.map(({ by }) => by?.name ?? null)).toEqual([...Array(3).fill(expect.any(String)), null]);
  expect(entries.map(({ changes }) => changes)).toMatchObject([
    [{ what: "policy", change: "removed", name: "deploy" }],
    [{ what: "rule", change: "changed", rule: "them", fields: ["authorized_groups"] }],
    [
      { what: "policy", change: "added" },
      { what: "rule", change: "added" },
    ],
    [],
  ]);
  expect(entries[0]).toMatchObject({ via: "api", reason: "" });
});

test("what changes nothing that a file says is no state", async () => {
  await create("deploy");
  const before = await history();
  await api.aGroup("another");
  const { body: group } = await api.call("GET", `/api/groups/${web}`);
  const peers = group.peers.map((peer: { id: string }) => peer.id);
  expect((await api.call("PUT", `/api/groups/${web}`, { name: "servers", peers })).status).toBe(200);
  expect(await history()).toEqual(before);
});

test("settings of a group and tests are part of a state, with the reason that was given", async () => {
  const text =
    "groups: {web: {requestable: true}}\n" +
    "tests: [{user: ada@example.com, machine: web1, local_user: x, expect: deny}]";
  expect((await apply({ text }, { reason: "OPS-7: on call" })).status).toBe(200);
  const [entry] = await history();
  expect(entry).toMatchObject({
    reason: "OPS-7: on call",
    changes: [{ what: "group", name: "web" }, { what: "tests" }],
  });
  const { body: events } = await api.call("GET", "/api/events/audit?activity=policy.apply");
  expect(events).toMatchObject([{ meta: { reason: "OPS-7: on call" } }]);
});

test("an earlier state is restored whole, by names of now, and keeps the ids of what is there", async () => {
  const id = await create("deploy");
  await apply({ text: "groups: {web: {requestable: true}}" });
  const { body: group } = await api.call("GET", `/api/groups/${web}`);
  const peers = group.peers.map((peer: { id: string }) => peer.id);
  await api.call("PUT", `/api/groups/${web}`, { name: "servers", peers });
  const { body: policy } = await api.call("GET", `/api/policies/${id}`);
  const renamed = {
    ...aPolicy("renamed", "root"),
    rules: [{ ...aPolicy("", "root").rules[0], id: policy.rules[0].id }],
  };
  await api.call("PUT", `/api/policies/${id}`, renamed);
  await create("another");

  const { body: state } = await stateOf(2);
  expect(state.text).toContain("servers");
  expect((await apply({ file: state.file })).status).toBe(200);
  const { body: policies } = await api.call("GET", "/api/policies");
  expect(policies).toMatchObject([
    { id, name: "deploy", rules: [{ authorized_groups: { [web]: ["deploy"] } }] },
  ]);
  expect((await api.call("GET", `/api/groups/${web}`)).body.requestable ?? false).toBe(false);
  const { body: diff } = await api.call("POST", "/api/policy/diff", { text: state.text });
  expect(diff.same).toBe(true);
});

test.each(["sources", "allow_intercepted"])(
  "a state whose %s name a group that is gone makes it again, empty",
  async (field) => {
    const gone = await api.aGroup("gone");
    const rule = aRuleBody({
      ...{ sources: [web], destinations: [web], authorized_groups: { [web]: ["x"] } },
      [field]: [gone],
    });
    const { body: policy } = await api.call("POST", "/api/policies", aPolicyBody([rule], { name: "old" }));
    await api.call("DELETE", `/api/policies/${policy.id}`);
    expect((await api.call("DELETE", `/api/groups/${gone}`)).status).toBe(200);
    const { body: state } = await stateOf(2);
    expect((await apply({ file: state.file })).status).toBe(200);
    expect((await api.call("GET", "/api/groups?name=gone")).body).toMatchObject([{ peers_count: 0 }]);
  },
);

test("a group with settings is part of a state until it is deleted, and is restored with them", async () => {
  const require = { record: "required" };
  const { body: db } = await api.call("POST", "/api/groups", { name: "db", require });
  expect((await api.call("DELETE", `/api/groups/${db.id}`)).status).toBe(200);
  expect(await history()).toMatchObject([
    { number: 3, current: true, changes: [{ what: "group", change: "removed", name: "db" }] },
    { number: 2, changes: [{ what: "group", change: "changed", name: "db" }] },
    { number: 1 },
  ]);
  expect((await apply({ file: (await stateOf(2)).body.file })).status).toBe(200);
  expect((await api.call("GET", "/api/groups?name=db")).body).toMatchObject([{ require }]);
});

test("pages go on below the last number, with what each changed of the one before", async () => {
  for (const name of ["a", "b", "c"]) await create(name);
  const all = await history();
  expect(all).toHaveLength(4);
  expect([...(await history("?limit=2")), ...(await history("?limit=2&cursor=3"))]).toEqual(all);
});

/** As a state of before its changes were stored with it. */
const forgetChanges = (below: number) =>
  api.management.store.transaction((tx) =>
    tx.sql.update(tx.t.policyStates).set({ changes: null }).where(lt(tx.t.policyStates.number, below)),
  );

test("a state that is older than its changes are stored says the same of itself", async () => {
  for (const name of ["a", "b", "c"]) await create(name);
  const all = await history();
  for (const below of [3, 9]) {
    await forgetChanges(below);
    expect(await history()).toEqual(all);
    expect([...(await history("?limit=2")), ...(await history("?limit=2&cursor=3"))]).toEqual(all);
    expect((await stateOf(2)).body.changes).toEqual(all[2]?.changes);
  }
});

test("a page of the history reads no state whose changes are stored", async () => {
  for (const name of ["a", "b", "c"]) await create(name);
  const all = await history();
  // What cannot be read says whether it is.
  await api.management.store.transaction((tx) =>
    tx.sql.update(tx.t.policyStates).set({ state: sql`'"unreadable"'` }),
  );
  expect(await history()).toEqual(all);
  await forgetChanges(3);
  expect((await api.call("GET", "/api/policy/history")).status).toBe(500);
});

test.each(["0", "9", "x", "1e3"])("there is no state %s", async (number) => {
  await create("a");
  expect((await stateOf(number)).status).toBe(404);
});

test("an auditor reads it, a user does not", async () => {
  await create("a");
  const [auditor, user] = [await api.tokenAs("auditor"), await api.tokenAs("user")];
  for (const path of ["/api/policy/history", "/api/policy/history/1"]) {
    expect((await api.call("GET", path, undefined, auditor.token)).status).toBe(200);
    expect((await api.call("GET", path, undefined, user.token)).status).toBe(403);
  }
});
