/** What takes a fresh sign-in: each action with what it takes, and with the nearest one that takes none. */
import { beforeEach, expect, test } from "bun:test";
import { ADMIN_ROUTES } from "../../../../src/management/http/admin/app.ts";
import {
  FRESH_SIGN_INS,
  SETUP_KEY_LONG_SECONDS,
} from "../../../../src/management/http/admin/fresh-sign-ins.ts";
import type { Role } from "../../../../src/wire/admin-api.ts";
import { aPolicyBody, aRuleBody, type Reply, TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, aTokenOf, aUserOf } from "../../../support/management.ts";
import { aSession, confirming, fromPage, type TestSession } from "../../../support/web-session.ts";

let api: TestApi;
let owner: TestSession;
beforeEach(async () => {
  api = await TestApi.open();
  owner = await aSession(api, "owner");
});

const REFUSED = { status: 403, body: { error: "ERR_REAUTH_REQUIRED" } };

/** As the page of `session`, without a confirmation. */
const send = (method: string, path: string, body?: object, session = owner): Promise<Reply> =>
  api.send(method, path, {
    ...fromPage(session.secret, { "content-type": "application/json" }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

/** The same, confirmed by the session's person where that is asked for. */
const confirmed = (...request: Parameters<typeof send>): Promise<Reply> =>
  confirming(api, request[3] ?? owner, () => send(...request));

const aPerson = (role: Role = "user") => aUserOf(api.management.store, api.accountId, { role });
const aKey = (change: object = {}) => ({
  name: "key",
  type: "reusable",
  expires_in: 86_400,
  auto_groups: [],
  usage_limit: 0,
  ...change,
});

test("the table names routes that there are", () => {
  const routes = new Set(ADMIN_ROUTES.map(({ method, path }) => `${method} ${path}`));
  expect(Object.keys(FRESH_SIGN_INS).filter((name) => !routes.has(name))).toEqual([]);
});

/** Method, path and body of a request, made in the account. */
type Asked = readonly [method: string, path: string, body?: object];
interface Row {
  readonly what: string;
  readonly takes: () => Promise<Asked>;
  /** One step away from it. */
  readonly nearest?: () => Promise<Asked>;
}

async function settingsWith(change: object): Promise<Asked> {
  const [{ settings }] = (await api.call("GET", "/api/accounts")).body;
  return ["PUT", `/api/accounts/${api.accountId}`, { settings: { ...settings, ...change } }];
}

async function roleOf(from: Role, to: Role): Promise<Asked> {
  const { id } = await aPerson(from);
  return ["PUT", `/api/users/${id}`, { role: to, auto_groups: [], is_blocked: false }];
}

async function groupFor(group: string): Promise<Asked> {
  const { id } = await aPerson();
  return ["PUT", `/api/users/${id}`, { role: "user", auto_groups: [group], is_blocked: false }];
}

async function keyWithGroups(expires_in: number): Promise<Asked> {
  const { body } = await api.call("POST", "/api/setup-keys", aKey({ expires_in }));
  const group = await api.aGroup(`for ${expires_in} seconds`);
  return ["PUT", `/api/setup-keys/${body.id}`, { revoked: false, auto_groups: [group] }];
}

const rules = (change: object) => aPolicyBody([aRuleBody({ sources: [], destinations: [], ...change })]);

/** A policy whose only rule is changed: by its id, by the policy's as NetBird names the first, or anew. */
async function ruleFrom(before: object, after: object, by: "id" | "policy" | "none" = "id"): Promise<Asked> {
  const { body } = await api.call("POST", "/api/policies", rules(before));
  const id = { id: body.rules[0].id, policy: body.id, none: "" }[by];
  return ["PUT", `/api/policies/${body.id}`, rules({ id, ...after })];
}
const ASKS = { ssh: { require_approval: true } };

/** A group with a machine that it is emptied of, or deleted with. */
async function withoutMachine(method: "PUT" | "DELETE", name: string, require: object): Promise<Asked> {
  const { id: peer } = await aPeerOf(api.management.store, api.accountId);
  const { id } = (await api.call("POST", "/api/groups", { name, peers: [peer], require })).body;
  return method === "PUT"
    ? [method, `/api/groups/${id}`, { name, peers: [] }]
    : [method, `/api/groups/${id}`];
}

/** The account's own policy file, changed. */
async function applied(change: (text: string) => string, force = false): Promise<Asked> {
  const text = change((await api.call("GET", "/api/policy/file")).body.text);
  const { version, digest } = (await api.call("POST", "/api/policy/diff", { text })).body;
  return ["POST", "/api/policy/apply", { text, version, digest, ...(force ? { force } : {}) }];
}

const ROWS: readonly Row[] = [
  {
    what: "a token",
    takes: async () => ["POST", `/api/users/${owner.user.id}/tokens`, { name: "mine", expires_in: 1 }],
    nearest: async () => ["GET", `/api/users/${owner.user.id}/tokens`],
  },
  {
    what: "a service user",
    takes: async () => [
      "POST",
      "/api/users",
      { role: "user", auto_groups: [], is_service_user: true, name: "robot" },
    ],
    nearest: async () => ["DELETE", `/api/users/${(await aPerson()).id}`],
  },
  ...(["admin", "auditor"] as const).map((role) => ({
    what: `the role ${role} for a user`,
    takes: () => roleOf("user", role),
    nearest: () => roleOf(role, "user"),
  })),
  {
    what: "a place among those who decide about requests",
    takes: async () => {
      const approvers = await api.aGroup("approvers");
      await api.call("POST", "/api/groups", {
        name: "asked",
        requestable: true,
        approver_groups: [approvers],
      });
      return groupFor(approvers);
    },
    nearest: async () => groupFor(await api.aGroup("others")),
  },
  {
    what: "a setup key without an end",
    takes: async () => ["POST", "/api/setup-keys", aKey({ expires_in: 0 })],
    nearest: async () => ["POST", "/api/setup-keys", aKey({ expires_in: SETUP_KEY_LONG_SECONDS })],
  },
  {
    what: "a setup key for more than a year",
    takes: async () => ["POST", "/api/setup-keys", aKey({ expires_in: SETUP_KEY_LONG_SECONDS + 1 })],
  },
  {
    what: "more groups for a setup key without an end",
    takes: () => keyWithGroups(0),
    nearest: () => keyWithGroups(86_400),
  },
  {
    what: "a group with approvers",
    takes: async () => ["POST", "/api/groups", { name: "a", approver_groups: [await api.aGroup("b")] }],
    nearest: async () => ["POST", "/api/groups", { name: "c", requestable: true }],
  },
  {
    what: "other approvers of a group",
    takes: async () => {
      const [id, approvers] = [await api.aGroup("a"), await api.aGroup("b")];
      return ["PUT", `/api/groups/${id}`, { name: "a", peers: [], approver_groups: [approvers] }];
    },
    nearest: async () => ["PUT", `/api/groups/${await api.aGroup("c")}`, { name: "d", peers: [] }],
  },
  {
    what: "less that a group requires",
    takes: async () => {
      const id = await api.aGroup("a");
      await api.call("PUT", `/api/groups/${id}`, { name: "a", require: { record: "required" } });
      return ["PUT", `/api/groups/${id}`, { name: "a", require: { record: "best_effort" } }];
    },
    nearest: async () => [
      "PUT",
      `/api/groups/${await api.aGroup("c")}`,
      { name: "c", require: { record: "required" } },
    ],
  },
  ...(["PUT", "DELETE"] as const).map((method) => ({
    what: `a machine taken out of a group that requires something, by ${method}`,
    takes: () => withoutMachine(method, "db", { record: "required" }),
    nearest: () => withoutMachine(method, "web", {}),
  })),
  {
    what: "less that a group requires by a policy file",
    takes: async () => {
      await api.call("POST", "/api/groups", { name: "db", require: { record: "required" } });
      return applied((text) => text.replace("record: required", "record: best_effort"));
    },
    nearest: () => applied((text) => text.replace("record: best_effort", "record: required")),
  },
  {
    what: "a rule with approvers",
    takes: async () => [
      "POST",
      "/api/policies",
      rules({ ssh: { require_approval: true }, approver_groups: [await api.aGroup("b")] }),
    ],
    nearest: async () => ["POST", "/api/policies", rules({ ssh: { require_approval: true } })],
  },
  {
    what: "less recording by a rule",
    takes: () => ruleFrom({ ssh: { record: "required" } }, { ssh: { record: "best_effort" } }),
    nearest: () => ruleFrom({ ssh: { record: "best_effort" } }, { ssh: { record: "required" } }),
  },
  {
    what: "less recording by a rule that is written anew",
    takes: () => ruleFrom({ ssh: { record: "required" } }, { ssh: { record: "best_effort" } }, "none"),
    nearest: () => ruleFrom({ ssh: { record: "best_effort" } }, { ssh: { record: "required" } }, "none"),
  },
  {
    what: "less recording by a rule named by its policy's id",
    takes: () => ruleFrom({ ssh: { record: "best_effort" } }, {}, "policy"),
    nearest: () => ruleFrom({ ssh: { record: "best_effort" } }, { action: "drop" }, "policy"),
  },
  {
    what: "a rule written anew without its approvers",
    takes: async () => ruleFrom({ ...ASKS, approver_groups: [await api.aGroup("b")] }, ASKS, "none"),
    nearest: () => ruleFrom(ASKS, ASKS, "none"),
  },
  {
    what: "less recording by a policy file",
    takes: async () => {
      await api.call("POST", "/api/policies", rules({ ssh: { record: "required" } }));
      return applied((text) => text.replace("record: required", "record: best_effort"));
    },
    nearest: () => applied((text) => text.replace("record: best_effort", "record: required")),
  },
  {
    what: "a policy file by force",
    takes: () => applied((text) => text, true),
    nearest: () => applied((text) => text),
  },
  {
    what: "a save by force",
    takes: async () => ["POST", "/api/policies?force=true", rules({})],
    nearest: async () => ["POST", "/api/policies?force=false", rules({})],
  },
  ...[
    { prompt_login: false },
    { login_confirmation: "click" },
    { login_seconds_max: 3_600 },
    { device_approval: "admin" },
    { pending_approval: true },
    { extra: { user_approval_required: true } },
    { require: { reauth_within_seconds: 600 } },
    { audit_retention_days: 364 },
    { recording_retention_days: 89 },
    { recording_recipients: [`age1${"q".repeat(58)}`] },
  ].map((change) => ({ what: `settings ${JSON.stringify(change)}`, takes: () => settingsWith(change) })),
  {
    what: "less recording by the account",
    takes: async () => {
      const [method, path, body] = await settingsWith({ require: { record: "required" } });
      expect((await api.call(method, path, body)).status).toBe(200);
      return settingsWith({ require: { record: "best_effort" } });
    },
    nearest: () =>
      settingsWith({
        ...{ audit_retention_days: 400, recording_retention_days: 100, organization_name: "Example" },
        require: { record: "required" },
      }),
  },
];

test.each(ROWS)("$what takes a confirmation", async ({ takes, nearest }) => {
  const [method, path, body] = await takes();
  expect(await send(method, path, body)).toMatchObject(REFUSED);
  expect((await confirmed(method, path, body)).status).toBe(200);
  if (nearest === undefined) return;
  const [otherMethod, otherPath, otherBody] = await nearest();
  expect((await send(otherMethod, otherPath, otherBody)).status).toBe(200);
});

const TOKEN = (): Asked => ["POST", `/api/users/${owner.user.id}/tokens`, { name: "mine", expires_in: 1 }];

test("a confirmation is good for two minutes after the sign-in", async () => {
  api.management.clock.advanceMs(119_000);
  expect((await confirmed(...TOKEN())).status).toBe(200);
  api.management.clock.advanceMs(1_000);
  expect(await confirmed(...TOKEN())).toMatchObject(REFUSED);
});

test("it is good once, and for that request of that session only", async () => {
  const [method, path, body] = TOKEN();
  const other = await aSession(api, "owner", owner.user);
  const refused = await send(method, path, body);
  const digest = refused.headers.get("x-confirm-digest") ?? "";
  expect(digest).toHaveLength(43);
  expect((await confirmed(method, path, body)).status).toBe(200);
  expect(await send(method, path, body)).toMatchObject(REFUSED);
  await confirming(api, owner, () => send(method, path, { ...body, expires_in: 2 }));
  // Confirmed, and then something else is sent: neither that nor the same by another session.
  const again = await send(method, path, body);
  expect(again.headers.get("x-confirm-digest")).toBe(digest);
  const wrong = await confirming(api, owner, async () => again);
  expect(wrong.status).toBe(403);
  for (const change of [{ name: "other" }, { expires_in: 365 }, { scope: "dangerous" }]) {
    expect(await send(method, path, { ...body, ...change })).toMatchObject(REFUSED);
  }
  expect(await send(method, path, body, other)).toMatchObject(REFUSED);
  expect((await send(method, path, body)).status).toBe(200);
});

test("what fails has not used its confirmation up", async () => {
  const [method, path] = TOKEN();
  const body = { name: "ssh", expires_in: 1, scope: "ssh" };
  expect((await confirmed(method, path, body)).status).toBe(422);
  expect((await send(method, path, body)).status).toBe(422);
});

test("a token made by name takes the scope dangerous; the nearest other one is told so", async () => {
  const { store } = api.management;
  const user = { id: api.ownerId, accountId: api.accountId };
  const [plain, dangerous] = [await aTokenOf(store, user, { scope: "api" }), await aTokenOf(store, user)];
  const path = `/api/users/${api.ownerId}/tokens`;
  const body = { name: "more", expires_in: 1 };
  const refused = await api.call("POST", path, body, plain);
  expect(refused).toMatchObject({ status: 403, body: { error: "ERR_FORBIDDEN" } });
  expect(refused.headers.get("x-confirm-digest")).toBeNull();
  expect((await api.call("GET", path, undefined, plain)).status).toBe(200);
  expect((await api.call("POST", "/api/setup-keys", aKey(), plain)).status).toBe(200);
  expect((await api.call("POST", path, body, dangerous)).status).toBe(200);
});

test("a token of the scope dangerous is made by a fresh sign-in, or by another one", async () => {
  const [method, path] = TOKEN();
  const body = { name: "terraform", expires_in: 1, scope: "dangerous" };
  expect(await send(method, path, body)).toMatchObject(REFUSED);
  const made = await confirmed(method, path, body);
  expect(made.body.personal_access_token.scope).toBe("dangerous");
  const users = { role: "user", auto_groups: [], is_service_user: true, name: "robot" };
  expect((await api.call("POST", "/api/users", users, made.body.plain_token)).status).toBe(200);
});
