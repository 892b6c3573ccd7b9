/** who, what and explain over the API, and the account's tests at every save. */
import { beforeEach, describe, expect, test } from "bun:test";
import { nowSeconds } from "../../../../src/base/clock.ts";
import { newId } from "../../../../src/base/random.ts";
import { systemInitiator } from "../../../../src/management/db/tables/audit-events.ts";
import { noteRuleUses } from "../../../../src/management/db/tables/rule-uses.ts";
import { UNUSED_SECONDS } from "../../../../src/policy/code/rule-usage.ts";
import { aPolicyBody, aRuleBody, TestApi } from "../../../support/admin-api.ts";
import { aPeerOf, aTokenOf, aUserOf } from "../../../support/management.ts";

let api: TestApi;
const ids: Record<"devs" | "laptops" | "web" | "ada" | "laptop" | "web1" | "policy", string> = {
  ...{ devs: "", laptops: "", web: "", ada: "", laptop: "", web1: "", policy: "" },
};
let adaToken: string;

beforeEach(async () => {
  api = await TestApi.open();
  const { store } = api.management;
  ids.devs = await api.aGroup("devs");
  const owner = await aUserOf(store, api.accountId, { email: "ada@example.com", autoGroups: [ids.devs] });
  ids.ada = owner.id;
  adaToken = await aTokenOf(store, owner);
  ids.laptop = (await aPeerOf(store, api.accountId, { kind: "device", name: "laptop", owner })).id;
  ids.web1 = (await aPeerOf(store, api.accountId, { kind: "machine", name: "web1" })).id;
  await aPeerOf(store, api.accountId, { kind: "machine", name: "db1" });
  ids.laptops = await api.aGroup("laptops", [ids.laptop]);
  ids.web = await api.aGroup("web", [ids.web1]);
  for (const { id } of (await api.call("GET", "/api/policies")).body)
    await api.call("DELETE", `/api/policies/${id}`);
  ids.policy = (await api.call("POST", "/api/policies", policyOf(["deploy"]))).body.id;
});

const policyOf = (localUsers: string[]) =>
  aPolicyBody(
    [
      aRuleBody({
        ...{ name: "web servers", sources: [ids.laptops], destinations: [ids.web] },
        authorized_groups: { [ids.devs]: localUsers },
      }),
    ],
    { name: "deploy" },
  );
const get = (path: string, token?: string) => api.call("GET", `/api/policy/${path}`, undefined, token);
const question = "machine=web1&user=ada@example.com";

test("who and what are the two sides of one table, page by page", async () => {
  const who = await get("who?machine=web1");
  expect(who.body).toMatchObject({
    ...{ total: 1, next_cursor: null },
    rows: [
      { user: { id: ids.ada, name: "ada@example.com" }, machine: { id: ids.web1 }, local_user: "deploy" },
    ],
  });
  expect((await get("what?user=ada@example.com")).body.rows).toEqual(who.body.rows);
  expect((await get("who?machine=db1")).body.total).toBe(0);
  expect((await get("who?machine=web1&local_user=root")).body.rows).toEqual([]);
  await api.call("PUT", `/api/policies/${ids.policy}`, policyOf(["a", "b", "c"]));
  const first = (await get("who?machine=web1&limit=2")).body;
  const second = (await get(`who?machine=web1&limit=2&cursor=${encodeURIComponent(first.next_cursor)}`)).body;
  const named = [...first.rows, ...second.rows].map((row: { local_user: string }) => row.local_user);
  expect([first.total, named, second.next_cursor]).toEqual([3, ["a", "b", "c"], null]);
  expect((await get("who?machine=webb1")).body.hint).toContain("web1");
});

test("a question is answered with every rule, the first condition that failed and what would help", async () => {
  const allowed = (await get(`explain?${question}&local_user=deploy`)).body;
  expect(allowed).toMatchObject({
    outcome: "allow",
    reason: null,
    rules: [{ policy: "deploy", outcome: "granted" }],
  });
  const denied = (await get(`explain?${question}&local_user=root`)).body;
  expect(denied).toMatchObject({
    ...{ outcome: "deny", reason: "local_user_unmapped", device: { id: ids.laptop } },
    rules: [{ policy: "deploy", rule: "web servers", outcome: "local_user_not_listed" }],
  });
  expect(denied.change).toContain("root");
  expect(allowed.draft).toBeNull();
  expect(denied.draft).toMatchObject({
    ...{ sources: ["devs"], destination_peer: "web1", authorized_groups: { devs: ["root"] } },
  });
  expect(
    (await get("explain?machine=web1&local_user=root", (await api.tokenAs("user")).token)).body.draft,
  ).toBeNull();
  const action = encodeURIComponent(JSON.stringify({ forward: "10.0.0.1:22" }));
  expect((await get(`explain?${question}&local_user=deploy&action=${action}`)).body.outcome).toBe("allow");
  expect((await get(`explain?${question}&local_user=deploy&action=dance`)).status).toBe(422);
  expect((await get(`explain?${question}&local_user=deploy&device=laptop`)).body.outcome).toBe("allow");
  for (const [user, status] of [
    [ids.ada, 200],
    [`id:${ids.ada}`, 200],
    [newId(), 422],
  ] as const) {
    expect((await get(`explain?user=${user}&machine=web1&local_user=deploy`)).status).toBe(status);
  }
});

test("a receipt is explained as it was decided, with what would be decided now", async () => {
  const receipt = newId();
  const decision = {
    ...{ outcome: "deny", reason: "local_user_unmapped", ruleId: null },
    trace: [{ ruleId: "gone0000000000000000", outcome: "user_not_in_groups" }],
  };
  const request = {
    ...{ userId: ids.ada, devicePeerId: ids.laptop, targetPeerId: ids.web1, localUser: "deploy" },
    ...{ action: { kind: "connect" }, atSeconds: 1_000 },
  };
  await api.management.store.change(
    {
      ...{ accountId: api.accountId, initiator: { ...systemInitiator, id: ids.ada } },
      events: [
        {
          activity: "ssh.decision.deny",
          targetId: ids.web1,
          data: { type: "decision", request, decision },
          receipt,
        },
      ],
    },
    async () => {},
  );
  expect((await get(`explain?receipt=${receipt}`)).body).toMatchObject({
    ...{ outcome: "deny", reason: "local_user_unmapped", local_user: "deploy", now: { outcome: "allow" } },
    rules: [{ rule_id: "gone0000000000000000", policy: "", outcome: "user_not_in_groups" }],
  });
  const own = (await get(`explain?receipt=${receipt}`, adaToken)).body;
  expect([own.outcome, own.rules, own.change]).toEqual(["deny", [], null]);
  const { token } = await api.tokenAs("user");
  expect((await get(`explain?receipt=${receipt}`, token)).status).toBe(404);
  expect((await get(`explain?receipt=${newId()}`)).status).toBe(404);
});

test("a plain user asks about themselves, learns no rule, and of nobody else", async () => {
  expect((await get("what", adaToken)).body.rows).toHaveLength(1);
  const own = (await get("explain?machine=web1&local_user=root", adaToken)).body;
  expect(own).toMatchObject({
    outcome: "deny",
    reason: "local_user_unmapped",
    rules: [],
    rule_id: null,
    change: null,
  });
  const { token } = await api.tokenAs("user");
  for (const path of ["what?user=ada@example.com", `explain?${question}&local_user=deploy`]) {
    expect([path, (await get(path, token)).status]).toEqual([path, 404]);
  }
  expect((await get("what?user=nobody@example.com", token)).status).toBe(404);
  expect((await get("who?machine=web1", token)).status).toBe(403);
});

describe("a save by any client runs the tests", () => {
  const RULES = "tests:\n  - {user: ada@example.com, machine: web1, local_user: root, expect: deny}\n";
  beforeEach(async () => {
    const { version, digest } = (await api.call("POST", "/api/policy/diff", { text: RULES })).body;
    expect((await api.call("POST", "/api/policy/apply", { text: RULES, version, digest })).status).toBe(200);
  });
  const put = (localUsers: string[], query = "") =>
    api.call("PUT", `/api/policies/${ids.policy}${query}`, policyOf(localUsers));

  test("and what fails one is not saved", async () => {
    const refused = await put(["deploy", "root"]);
    expect([refused.status, refused.body.error]).toEqual([409, "ERR_CONFLICT"]);
    expect((await get("who?machine=web1")).body.total).toBe(1);
    expect((await put(["deploy", "web"])).status).toBe(200);
  });

  test("unless it is forced, which is audited", async () => {
    expect((await put(["deploy", "root"], "?force=true")).status).toBe(200);
    expect(await api.activities()).toContain("policy.force");
  });

  test("and what only takes access away is saved all the same", async () => {
    await put(["deploy", "root"], "?force=true");
    expect((await put(["root"])).status).toBe(200);
    expect((await put(["root", "more"])).status).toBe(409);
    expect((await api.call("DELETE", `/api/policies/${ids.policy}`)).status).toBe(200);
  });

  test("a group that brings somebody in is asked as well, one that takes them out is not", async () => {
    const admins = await api.aGroup("admins");
    const rule = aRuleBody({
      ...{ sources: [ids.laptops], destinations: [ids.web], authorized_groups: { [admins]: ["root"] } },
    });
    expect((await api.call("POST", "/api/policies", aPolicyBody([rule], { name: "root" }))).status).toBe(200);
    const user = (groups: string[], query = "") =>
      api.call("PUT", `/api/users/${ids.ada}${query}`, {
        role: "user",
        auto_groups: groups,
        is_blocked: false,
      });
    expect((await user([ids.devs, admins])).status).toBe(409);
    expect((await user([ids.devs, admins], "?force=true")).status).toBe(200);
    // It fails already, and this neither makes it worse nor mends it.
    expect((await user([admins])).status).toBe(200);
    expect((await user([])).status).toBe(200);
  });
});

test("usage has each rule's reach, its last decision, and whether it was unused for 90 days", async () => {
  const usage = async () => (await get("usage")).body.rules;
  const [fresh] = await usage();
  expect(fresh).toMatchObject({
    ...{ policy_id: ids.policy, people: 1, machines: 1, last_decided_at: null, unused: false },
  });
  const now = nowSeconds(api.management.clock);
  const note = (at: number) =>
    api.management.store.transaction((tx) => noteRuleUses(tx, api.accountId, new Map([[fresh.rule_id, at]])));
  await note(now - UNUSED_SECONDS);
  expect((await usage())[0]).toMatchObject({ unused: true });
  await note(now);
  expect((await usage())[0]).toMatchObject({
    ...{ last_decided_at: new Date(now * 1_000).toISOString(), unused: false },
  });
  expect((await get("usage", (await api.tokenAs("user")).token)).status).toBe(403);
});
