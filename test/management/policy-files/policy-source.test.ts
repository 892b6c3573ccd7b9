/** Policies that are kept elsewhere: who may still change them here, and the refusals of everybody else. */
import { beforeEach, expect, test } from "bun:test";
import { aPolicyBody, aRuleBody, type Reply, TestApi } from "../../support/admin-api.ts";
import { aPeerOf, aTokenOf, aUserOf } from "../../support/management.ts";
import { aSession, confirming, fromPage, type TestSession } from "../../support/web-session.ts";

const SOURCE = "https://git.example.com/ops/policies";
const REFUSED = { status: 403, body: { error: "ERR_FORBIDDEN" } };
const FRESH = { status: 403, body: { error: "ERR_REAUTH_REQUIRED" } };

let api: TestApi;
let owner: TestSession;
let web: string;
let policyId: string;
let pipeline: string;
beforeEach(async () => {
  api = await TestApi.open();
  const { store } = api.management;
  owner = await aSession(api, "owner");
  web = await api.aGroup("web", [
    (await aPeerOf(store, api.accountId, { kind: "machine", name: "web1" })).id,
  ]);
  policyId = (await api.call("POST", "/api/policies", policy("deploy"))).body.id;
  const bot = await aUserOf(store, api.accountId, { role: "admin", isServiceUser: true });
  pipeline = await aTokenOf(store, bot, { scope: "api" });
  expect((await setSource(SOURCE)).status).toBe(200);
});

const policy = (localUser: string) =>
  aPolicyBody(
    [aRuleBody({ sources: [web], destinations: [web], authorized_groups: { [web]: [localUser] } })],
    {
      name: "deploy",
    },
  );
const setSource = async (policy_source: string, more: object = {}): Promise<Reply> => {
  const [{ settings }] = (await api.call("GET", "/api/accounts")).body;
  const body = { settings: { ...settings, policy_source }, ...more };
  return api.call("PUT", `/api/accounts/${api.accountId}`, body);
};
/** From a page of the owner's. */
const send = (method: string, path: string, body?: object): Promise<Reply> =>
  api.send(method, path, {
    ...fromPage(owner.secret, { "content-type": "application/json" }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const fileFor = (localUser: string) => ({
  text: `policies:
  - name: deploy
    rules:
      - {sources: [web], destinations: [web], authorized_groups: {web: [${localUser}]}}
`,
});
/** The body that applies the file whose difference was shown. */
const applyOf = async (given: object, more: object = {}): Promise<object> => {
  const { version, digest } = (await api.call("POST", "/api/policy/diff", { ...given, days: 0 })).body;
  return { ...given, version, digest, ...more };
};
const stored = async () => (await api.call("GET", "/api/policy/file")).body;
const activities = async () => (await api.activities()).slice(-2);

test("a page changes nothing of it, whichever route it takes", async () => {
  const before = (await stored()).text;
  const settings = { name: "web", peers: [] };
  const asked: readonly [string, string, object?][] = [
    ["POST", "/api/policies", policy("root")],
    ["PUT", `/api/policies/${policyId}`, policy("root")],
    ["DELETE", `/api/policies/${policyId}`],
    ["PUT", `/api/groups/${web}`, { ...settings, requestable: true }],
    ["POST", "/api/groups", { ...settings, name: "new", requestable: true }],
    ["POST", "/api/policy/apply", await applyOf(fileFor("root"))],
    ["POST", "/api/policy/apply", await applyOf(fileFor("root"), { reason: "INC-42" })],
    ["POST", "/api/policy/apply", await applyOf(fileFor("root"), { override: false, reason: "INC-42" })],
    ["POST", "/api/policy/apply", await applyOf({ text: "tests: []\npolicies: []" })],
  ];
  for (const [method, path, body] of asked) {
    const { status, body: said } = await confirming(api, owner, () => send(method, path, body));
    expect([path, status, said.error, said.message]).toEqual([
      path,
      403,
      "ERR_FORBIDDEN",
      `the policies are kept in ${SOURCE} and are changed there`,
    ]);
  }
  expect((await stored()).text).toBe(before);
});

test("nor does a person's token, of whatever scope; what is no part of a policy file goes on", async () => {
  expect(await api.call("PUT", `/api/policies/${policyId}`, policy("root"))).toMatchObject(REFUSED);
  expect((await send("PUT", `/api/groups/${web}`, { name: "web", peers: [] })).status).toBe(200);
  expect((await send("POST", "/api/groups", { name: "plain", peers: [] })).status).toBe(200);
});

test("the pipeline is a service user: it applies, and changes single policies", async () => {
  const body = await applyOf(fileFor("web"));
  expect((await api.call("POST", "/api/policy/apply", body, pipeline)).status).toBe(200);
  const id = (await api.call("GET", "/api/policies")).body[0].id;
  expect((await api.call("PUT", `/api/policies/${id}`, policy("deploy"), pipeline)).status).toBe(200);
  expect((await stored()).source).toEqual({ name: SOURCE, differs_since: null });
});

test("an override takes a reason and a fresh sign-in; it is an event, and shown until the source applies", async () => {
  const body = await applyOf(fileFor("root"), { override: true, reason: "INC-42: locked out" });
  expect(await send("POST", "/api/policy/apply", body)).toMatchObject(FRESH);
  expect((await stored()).source.differs_since).toBeNull();
  const applied = await confirming(api, owner, () => send("POST", "/api/policy/apply", body));
  expect(applied.status).toBe(200);
  expect(await activities()).toContain("policy.source.override");
  const [event] = (await api.call("GET", "/api/events/audit?activity=policy.source.override")).body;
  expect(event.meta).toMatchObject({ source: SOURCE, reason: "INC-42: locked out" });
  const [state] = (await api.call("GET", "/api/policy/history")).body;
  expect(state).toMatchObject({ reason: "INC-42: locked out", via: "dashboard" });
  const since = (await stored()).source.differs_since;
  expect(since).not.toBeNull();

  // A person who applies what is in force settles nothing; the source does, even if nothing changes.
  const same = await applyOf(fileFor("root"));
  expect((await send("POST", "/api/policy/apply", same)).status).toBe(200);
  expect((await stored()).source.differs_since).toBe(since);
  const mine = await api.call("POST", "/api/policy/diff", { ...fileFor("root"), days: 0 });
  expect(mine.body).toMatchObject({ same: true, settles: false });
  const theirs = await api.call("POST", "/api/policy/diff", { ...fileFor("root"), days: 0 }, pipeline);
  expect(theirs.body).toMatchObject({ same: true, settles: true });
  const settled = await api.call("POST", "/api/policy/apply", await applyOf(fileFor("root")), pipeline);
  expect(settled.status).toBe(200);
  expect((await stored()).source.differs_since).toBeNull();
});

test.each([undefined, "", "ab", "two\nlines", "x".repeat(257)])(
  "an override whose reason is %j changes nothing",
  async (reason) => {
    const before = (await stored()).text;
    const body = await applyOf(fileFor("root"), { override: true, reason });
    const answer = await confirming(api, owner, () => send("POST", "/api/policy/apply", body));
    expect(answer).toMatchObject({ status: 422, body: { error: "ERR_UNPROCESSABLE" } });
    expect((await stored()).text).toBe(before);
  },
);

test("an override by a token takes the scope dangerous", async () => {
  const { store } = api.management;
  const token = await aTokenOf(store, owner.user, { scope: "api" });
  const body = await applyOf(fileFor("root"), { override: true, reason: "INC-42" });
  expect(await api.call("POST", "/api/policy/apply", body, token)).toMatchObject(REFUSED);
  expect((await api.call("POST", "/api/policy/apply", body)).status).toBe(200);
});

test("the setting is changed or emptied by a fresh sign-in and a reason", async () => {
  const [{ settings }] = (await api.call("GET", "/api/accounts")).body;
  const path = `/api/accounts/${api.accountId}`;
  const asked = { settings: { ...settings, policy_source: "" } };
  expect(await send("PUT", path, asked)).toMatchObject(FRESH);
  const without = await confirming(api, owner, () => send("PUT", path, asked));
  expect(without).toMatchObject({ status: 422, body: { error: "ERR_UNPROCESSABLE" } });
  expect(await send("PUT", `/api/policies/${policyId}`, policy("root"))).toMatchObject(REFUSED);
  // Other settings need neither.
  expect((await send("PUT", path, { settings: { ...settings, organization_name: "Example" } })).status).toBe(
    200,
  );
  const given = { ...asked, reason: "the repository is gone" };
  expect((await confirming(api, owner, () => send("PUT", path, given))).status).toBe(200);
  const [event] = (await api.call("GET", "/api/events/audit?activity=policy.source.update")).body;
  expect(event.meta).toMatchObject({ from: SOURCE, to: "", reason: "the repository is gone" });
  expect((await stored()).source).toBeNull();
  expect((await send("PUT", `/api/policies/${policyId}`, policy("root"))).status).toBe(200);
});

test.each(["two\nlines", "bell\u0007", "x".repeat(257)])("a source of %j is refused", async (source) => {
  expect((await setSource(source, { reason: "moved" })).status).toBe(422);
});
