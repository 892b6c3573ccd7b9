/** Policy as code over the API: get, test, diff, apply, against a real store. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { PeerSession } from "../../../../src/management/sync/sync-hub.ts";
import { aPolicyBody, aRuleBody, TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, aUserOf } from "../../../support/management.ts";

const FILE = `# who may log in where
policies:
  - name: deploy # web servers
    rules:
      # laptops that we manage
      - sources: [managed-laptops]
        destinations: [web]
        authorized_groups: {developers: [deploy]}
        ssh: {record: best_effort, local_forward: ["db.internal:5432"]}
tests:
  - {user: ada@example.com, machine: web1, local_user: deploy, expect: allow} # she does
  - {user: ada@example.com, machine: web1, local_user: root, expect: deny, reason: local_user_unmapped}
  - {user: ada@example.com, machine: web1, local_user: deploy, action: {forward: "10.0.0.1:22"}, expect: deny}
`;

let api: TestApi;
let sessions: PeerSession[];
let ada: string;
let web1: string;

beforeEach(async () => {
  sessions = [];
  api = await TestApi.open({ sessions: () => sessions });
  const { store } = api.management;
  const developers = await api.aGroup("developers");
  const owner = await aUserOf(store, api.accountId, { email: "ada@example.com", autoGroups: [developers] });
  ada = owner.id;
  const laptop = await aPeerOf(store, api.accountId, { kind: "device", name: "laptop", owner });
  web1 = (await aPeerOf(store, api.accountId, { kind: "machine", name: "web1" })).id;
  await api.aGroup("managed-laptops", [laptop.id]);
  await api.aGroup("web", [web1]);
});

const post = (path: string, body: object, token?: string) =>
  api.call("POST", `/api/policy/${path}`, body, token);
const diffOf = async (text: string, more: object = {}) => {
  const { status, body } = await post("diff", { text, ...more });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body;
};
const apply = async (text: string, more: object = {}) => {
  const { version, digest } = await diffOf(text, { days: 0 });
  return post("apply", { text, version, digest, ...more });
};
const fileNow = async () => (await api.call("GET", "/api/policy/file")).body;

test("a file is shown, applied whole, given back with its comments, and then changes nothing", async () => {
  const diff = await diffOf(FILE);
  expect(diff).toMatchObject({ same: false, tests: { passed: 3, failed: 0 }, lost: { total: 0 } });
  expect(diff.gained.rows).toMatchObject([
    { user: { name: "ada@example.com" }, machine: { id: web1, name: "web1" }, local_user: "deploy" },
  ]);
  expect(diff.gained.rows[0].capabilities).toContain("local_forward db.internal:5432");
  const applied = await apply(FILE);
  expect([applied.status, applied.body.forced]).toEqual([200, false]);
  const { text, version } = await fileNow();
  expect(text).toBe(FILE);
  expect(version).toBe(applied.body.version);
  expect(await diffOf(text)).toMatchObject({
    same: true,
    changes: [],
    gained: { total: 0 },
    lost: { total: 0 },
  });
  const ids = (await api.call("GET", "/api/policies")).body.map((policy: { id: string }) => policy.id);
  expect((await apply(text)).status).toBe(200);
  expect((await api.call("GET", "/api/policies")).body.map((policy: { id: string }) => policy.id)).toEqual(
    ids,
  );
  expect((await api.activities()).slice(-3)).toEqual(["policy.add", "policy.tests.update", "policy.apply"]);
});

test("comments stay at what another client has not changed", async () => {
  await apply(FILE);
  const web = (await api.call("GET", "/api/groups?name=web")).body[0].id;
  const rule = aRuleBody({ sources: [web], destinations: [web], authorized_groups: { [web]: ["x"] } });
  expect(
    (await api.call("POST", "/api/policies", aPolicyBody([rule], { name: "made elsewhere" }))).status,
  ).toBe(200);
  const { text } = await fileNow();
  for (const comment of [
    "# who may log in where",
    "# web servers",
    "# laptops that we manage",
    "# she does",
  ]) {
    expect(text).toContain(comment);
  }
  expect(text).toContain("made elsewhere");
  expect(await diffOf(text)).toMatchObject({ same: true });
});

test("an account that never saw a file gives one that changes nothing", async () => {
  const { text, file } = await fileNow();
  expect(await diffOf(text)).toMatchObject({ same: true });
  expect((await post("diff", { file })).body).toMatchObject({ same: true });
});

describe("is not applied", () => {
  test("once the account has moved on", async () => {
    const { version, digest } = await diffOf(FILE);
    await api.aGroup("another");
    const { status, body } = await post("apply", { text: FILE, version, digest });
    expect([status, body.error]).toEqual([409, "ERR_CONFLICT"]);
    expect(
      (await api.call("GET", "/api/policies")).body.map((one: { name: string }) => one.name),
    ).not.toContain("deploy");
  });

  test("with another plan than was shown", async () => {
    const { version } = await diffOf(FILE);
    const other = await diffOf(FILE.replace("[deploy]", "[root]"));
    expect((await post("apply", { text: FILE, version, digest: other.digest })).status).toBe(409);
  });

  test("when a test fails, unless it is forced, and that is audited", async () => {
    const failing = FILE.replace("expect: allow", "expect: deny");
    expect(await diffOf(failing)).toMatchObject({ tests: { passed: 2, failed: 1 } });
    const refused = await apply(failing);
    expect([refused.status, refused.body.error]).toEqual([409, "ERR_CONFLICT"]);
    expect(await api.activities()).not.toContain("policy.force");
    expect((await apply(failing, { force: true })).body.forced).toBe(true);
    expect(await api.activities()).toContain("policy.force");
  });

  test("when nobody would have a way in any more, unless it is forced", async () => {
    await apply(FILE);
    expect((await diffOf("policies: []")).warnings).toEqual([expect.stringContaining("nobody can log in")]);
    const refused = await apply("policies: []");
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([409, expect.stringContaining("--force")]);
    const forced = await apply("policies: []", { force: true });
    expect([forced.status, forced.body.forced]).toEqual([200, true]);
    expect(await api.activities()).toContain("policy.force");
    expect((await api.call("GET", "/api/policies")).body).toEqual([]);
  });

  test("by an auditor, who may see what it would do", async () => {
    const { token } = await api.tokenAs("auditor");
    const shown = await post("diff", { text: FILE }, token);
    expect(shown.status).toBe(200);
    const { version, digest } = shown.body;
    expect((await post("apply", { text: FILE, version, digest }, token)).status).toBe(403);
    const { token: user } = await api.tokenAs("user");
    expect((await post("diff", { text: FILE }, user)).status).toBe(403);
  });
});

test("a group that requires less is access gained, and one that requires more is access lost", async () => {
  await apply(FILE);
  const require = (what: string) => `groups: {web: {require: {${what}}}}`;
  const bound = await diffOf(require("record: required, approval: true"));
  const words = expect.arrayContaining(["local_forward db.internal:5432", "without_approval"]);
  const row = { user: { id: ada }, machine: { id: web1 }, local_user: "deploy", capabilities: words };
  expect(bound).toMatchObject({ gained: { total: 0 }, lost: { total: 1, rows: [row] } });
  expect(bound.warnings).toEqual([expect.stringContaining("only takes access away")]);
  await apply(require("record: required, approval: true"), { force: true });
  expect(await diffOf(require("record: off"))).toMatchObject({
    ...{ gained: { total: 1, rows: [row] }, lost: { total: 0 }, warnings: [] },
  });
});

test("what only takes access away does not wait for tests", async () => {
  await apply(FILE);
  await apply(FILE.replace("[deploy]", "[deploy, web]"));
  const less = FILE.replace("expect: deny, reason: local_user_unmapped", "expect: allow");
  const { status, body } = await apply(less.replace('["db.internal:5432"]', "[]"));
  expect([status, body.tests?.failed, body.forced]).toEqual([200, 1, false]);
});

describe("a file that is wrong is refused with one sentence", () => {
  const rows: [name: string, text: string, status: number][] = [
    ["an unknown name", FILE.replace("[web]", "[wbe]"), 422],
    ["a cycle", "groups: {web: {approver_groups: [developers]}, developers: {approver_groups: [web]}}", 422],
    ["a duplicate", `${FILE}tests: []\n`, 422],
    ["a tab", "policies:\n\t- name: a\n", 422],
    ["a bomb", "a: &a [x]\nb: [*a, *a]\n", 422],
    ["2 MB", `#${"x".repeat(2_000_000)}`, 422],
    ["10 MB", `#${"x".repeat(10_000_000)}`, 413],
  ];
  test.each(rows)("%s", async (_, text, status) => {
    for (const path of ["diff", "test"]) {
      const reply = await post(path, { text });
      expect([path, reply.status]).toEqual([path, status]);
      expect(reply.body.message.split("\n")).toHaveLength(1);
    }
  });

  test("text and file at once, or neither", async () => {
    expect((await post("diff", { text: FILE, file: {} })).status).toBe(422);
    expect((await post("diff", {})).status).toBe(422);
  });
});

test("a live connection that would end is named, with the reason", async () => {
  await apply(FILE);
  const session = {
    connectionId: "c".repeat(20),
    localUser: "deploy",
    userId: ada,
    user: "ada",
    peer: "laptop",
  };
  sessions = [{ peerId: web1, session: { ...session, command: "", forwards: [], startedAtSeconds: 1_000 } }];
  expect((await diffOf(FILE.replace("local_forward", "remote_forward"))).ends).toEqual([]);
  expect((await diffOf(FILE.replace("[deploy]", "[web]"))).ends).toMatchObject([
    { user: { id: ada }, machine: { id: web1 }, local_user: "deploy", reason: "local_user_unmapped" },
  ]);
});

test("settings of groups, and new groups, are stored and given back", async () => {
  const text =
    "groups:\n  chiefs: {}\n  web: {requestable: true, approver_groups: [chiefs], request_seconds_max: 3600}";
  expect((await apply(text)).status).toBe(200);
  const { file } = await fileNow();
  expect(file.groups).toEqual({
    web: { requestable: true, approver_groups: ["chiefs"], request_seconds_max: 3600 },
  });
  expect((await api.call("GET", "/api/groups?name=chiefs")).status).toBe(200);
  const chiefs = (await api.call("GET", "/api/groups?name=chiefs")).body[0].id;
  expect((await api.call("DELETE", `/api/groups/${chiefs}`)).body.error).toBe("ERR_IN_USE");
});

test("the export is the account, and the schema is one", async () => {
  await apply(FILE);
  const { body } = await api.call("GET", "/api/policy/export");
  expect(body).toMatchObject({ format: "qufabric-policy-account/1", accountId: api.accountId });
  expect(body.tests).toHaveLength(3);
  expect(JSON.stringify(body)).not.toContain(api.owner);
  expect((await api.call("GET", "/api/policy/schema")).body.type).toBe("object");
});
