/** `qf policy` over a running management: what is printed, the exit status, and nothing lost on the way. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "../../src/base/random.ts";
import { insertPeer } from "../../src/management/db/tables/new-peer.ts";
import { executablePath } from "../support/executable.ts";
import { type RunResult, runProcess } from "../support/run-process.ts";
import { ADA, startTestManagement, type TestManagement } from "../support/running-management.ts";
import { tempFolder } from "../support/temp-folder.ts";

const FILE = `# kept in git
policies:
  - name: deploy # the web servers
    rules:
      - sources: [managed-laptops]
        destinations: [web]
        authorized_groups: {developers: [deploy]}
        ssh: {record: best_effort, local_forward: ["db.internal:5432"]}
tests:
  - {user: ada@example.com, machine: web1, local_user: deploy, expect: allow}
  - {user: ada@example.com, machine: web1, local_user: root, expect: deny, reason: local_user_unmapped}
  - {user: ada@example.com, machine: web1, local_user: deploy, action: {forward: "10.0.0.1:22"}, expect: deny}
`;
const folder = tempFolder();
let management: TestManagement;
let qf: (...args: string[]) => Promise<RunResult>;
let qfGroup: typeof qf;
let qfAccount: typeof qf;

beforeAll(async () => {
  management = await startTestManagement(join(folder, "management"));
  const { accountId, context } = management;
  const groups = Object.fromEntries(
    await Promise.all(
      ["developers", "managed-laptops", "web"].map(
        async (name) => [name, await management.addGroup(name)] as const,
      ),
    ),
  );
  const ada = await management.addPerson(ADA, [groups.developers ?? ""]);
  const peer = (kind: "machine" | "device", name: string, group: string) =>
    context.store.change(
      { accountId, initiator: { id: "t", name: "t", email: "" }, affectsMaps: true },
      (tx) =>
        insertPeer(tx, {
          ...{
            accountId,
            kind,
            name,
            deviceKey: `${newId()}${newId()}AAA`,
            hostKeys: [],
            connectionIp: "127.0.0.1",
          },
          facts: { hostname: name, os: "Linux", kernelVersion: "6.1", version: "0.1.0" },
          ...{ owner: kind === "device" ? ada : null, ownerApproved: true, status: "active" },
          ...{ vouchedByPeerId: null, ephemeral: false, groups: [groups[group] ?? ""] },
        }),
    );
  await peer("device", "laptop", "managed-laptops");
  await peer("machine", "web1", "web");
  const executable = await executablePath();
  const env = {
    ...{ PATH: process.env.PATH ?? "", HOME: folder, QF_TOKEN: management.token },
    ...{ QF_MANAGEMENT_URL: management.url, LANG: "C.UTF-8" },
  };
  const run = (...args: string[]) => runProcess([executable, ...args], { env, cwd: folder });
  qf = (...args) => run("policy", ...args);
  qfGroup = (...args) => run("group", ...args);
  qfAccount = (...args) => run("account", ...args);
}, 120_000);

afterAll(async () => {
  await management?.close();
});

/** A file in the folder, and its path. */
function fileOf(text: string, name = "policy.yaml"): string {
  writeFileSync(join(folder, name), text);
  return name;
}

const exitOf = async (...args: string[]): Promise<number> => (await qf(...args)).exitCode;

test("a file is tested, shown, applied, got back with its comments, and then changes nothing", async () => {
  const file = fileOf(FILE);
  expect(await qf("test", file)).toMatchObject({ exitCode: 0, stderr: "" });
  const diff = await qf("diff", file, "--json");
  expect(diff.exitCode).toBe(1);
  const shown = JSON.parse(diff.stdout);
  expect(shown.gained.rows).toMatchObject([
    { user: { name: "ada@example.com" }, machine: { name: "web1" }, local_user: "deploy" },
  ]);
  expect(await qf("apply", file)).toMatchObject({ exitCode: 2 });
  expect(await exitOf("apply", file, "--yes", "--if-version", String(shown.version + 7))).toBe(1);
  const applied = await qf("apply", file, "--yes", "--if-version", String(shown.version));
  expect(applied).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await exitOf("get", "--out", "got.yaml")).toBe(0);
  expect(readFileSync(join(folder, "got.yaml"), "utf8")).toBe(FILE);
  expect(await exitOf("diff", "got.yaml")).toBe(0);
  expect(await exitOf("apply", "got.yaml")).toBe(0);
  expect((await qf("get")).stdout).toBe(FILE);
  expect(JSON.parse((await qf("get", "--json")).stdout)).toMatchObject({ policies: [{ name: "deploy" }] });
}, 60_000);

describe("with that policy", () => {
  beforeAll(async () => {
    expect(await exitOf("apply", fileOf(FILE), "--yes")).toBe(0);
  }, 60_000);

  test("tests run offline on an export, to the same result", async () => {
    expect(await exitOf("get", "--export", "--out", "account.json")).toBe(0);
    const failing = fileOf(FILE.replace("local_user: root", "local_user: deploy"), "failing.yaml");
    const online = await qf("test", failing, "--json");
    const offline = await qf("test", failing, "--account", "account.json", "--json");
    expect([online.exitCode, offline.exitCode]).toEqual([1, 1]);
    expect(JSON.parse(offline.stdout)).toEqual(JSON.parse(online.stdout));
    expect(await exitOf("test", "policy.yaml", "--account", "account.json")).toBe(0);
    expect(await exitOf("test", "policy.yaml", "--account", "policy.yaml")).toBe(1);
  }, 60_000);

  test("what fails a test is applied only by force", async () => {
    const failing = fileOf(FILE.replace("deploy, expect: allow", "deploy, expect: deny"), "failing.yaml");
    expect(await exitOf("apply", failing, "--yes")).toBe(1);
    expect(await exitOf("apply", failing, "--yes", "--force")).toBe(0);
    expect(await exitOf("apply", "policy.yaml", "--yes")).toBe(0);
  }, 60_000);

  test("a group that a test depends on is emptied or deleted only by force", async () => {
    expect((await qfGroup("create", "gate", "--peers", "web1")).exitCode).toBe(0);
    const text = FILE.replace("expect: allow", "expect: deny, reason: approval_required");
    const gated = fileOf(`groups: {gate: {require: {approval: true}}}\n${text}`, "gated.yaml");
    expect(await exitOf("apply", gated, "--yes")).toBe(0);
    for (const change of [
      ["update", "gate", "--peers", ""],
      ["delete", "gate"],
    ]) {
      const refused = await qfGroup(...change);
      expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("--force")]);
    }
    expect((await qfGroup("update", "gate", "--peers", "", "--force")).exitCode).toBe(0);
    expect((await qfGroup("delete", "gate", "--force")).exitCode).toBe(0);
    expect(await exitOf("apply", "policy.yaml", "--yes")).toBe(0);
  }, 60_000);

  test("an earlier state is listed, printed, and restored once its difference was shown", async () => {
    const more = fileOf(FILE.replace("[deploy]", "[deploy, www]"), "more.yaml");
    expect(await exitOf("apply", more, "--yes", "--reason", "OPS-7: web team")).toBe(0);
    const [now, then] = JSON.parse((await qf("history", "--limit", "2", "--json")).stdout);
    expect(now).toMatchObject({ current: true, reason: "OPS-7: web team", changes: [{ what: "rule" }] });
    expect((await qf("history")).stdout).toContain("OPS-7: web team");
    const before = await qf("get", "--at", String(then.number));
    expect(before.stdout).toContain("[deploy]");
    expect(before.stdout).not.toContain("www");
    expect(await qf("restore", String(then.number))).toMatchObject({ exitCode: 2 });
    const restored = await qf("restore", String(then.number), "--yes");
    expect(restored).toMatchObject({ exitCode: 0, stderr: "" });
    expect(restored.stdout).toContain("www");
    expect(await exitOf("diff", "policy.yaml", "--days", "0")).toBe(0);
    expect(await exitOf("restore", String(now.number + 1), "--yes")).toBe(0);
    expect([await exitOf("restore", "99"), await exitOf("restore", "x")]).toEqual([1, 2]);
    expect(await exitOf("get", "--at", "1", "--export")).toBe(2);
    expect(await exitOf("apply", more, "--yes", "--reason", "x")).toBe(2);
  }, 60_000);

  test("policies that are kept elsewhere are applied only by an override with a reason", async () => {
    const set = (...args: string[]) => qfAccount("set", ...args);
    expect((await set("policy_source=ops/policies")).exitCode).toBe(0);
    const more = fileOf(FILE.replace("[deploy]", "[deploy, www]"), "more.yaml");
    const refused = await qf("apply", more, "--yes", "--reason", "INC-42");
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("kept in ops/policies")]);
    expect(refused.stderr).toContain("--override");
    expect(await exitOf("apply", more, "--yes", "--override")).toBe(2);
    expect(await exitOf("apply", more, "--yes", "--override", "--reason", "INC-42")).toBe(0);
    expect((await qf("history")).stdout).toContain("INC-42");
    const [, then] = JSON.parse((await qf("history", "--limit", "2", "--json")).stdout);
    expect(await exitOf("restore", String(then.number), "--yes")).toBe(1);
    const back = ["restore", String(then.number), "--yes", "--override", "--reason", "INC-42 is over"];
    expect(await exitOf(...back)).toBe(0);
    expect((await set("policy_source=")).exitCode).toBe(1);
    expect((await set("policy_source=", "--reason", "kept here again")).exitCode).toBe(0);
    expect(await exitOf("apply", "policy.yaml", "--yes")).toBe(0);
  }, 60_000);

  test("usage lists each rule by name, and with --unused none that may be in use", async () => {
    const usage = await qf("usage");
    expect(usage.stdout).toMatch(/^POLICY +RULE +PEOPLE +MACHINES +LAST DECIDED +UNUSED$/m);
    expect(usage.stdout).toMatch(/^\S.* +\d+ +\d+ .*UTC +no$/m);
    const { rules } = JSON.parse((await qf("usage", "--json")).stdout);
    expect(rules.length).toBeGreaterThan(0);
    expect(JSON.parse((await qf("usage", "--unused", "--json")).stdout)).toEqual({ rules: [] });
    expect(await exitOf("usage", "--unknown")).toBe(2);
  }, 60_000);

  test("who, what and explain answer in words, JSON and CSV", async () => {
    const who = await qf("who", "--machine", "web1");
    expect(who.stdout).toMatch(/ada@example\.com +web1 +deploy +connect/);
    expect((await qf("who", "--machine", "web1", "--as", "root")).exitCode).toBe(0);
    const csv = (await qf("what", "--user", "ada@example.com", "--csv")).stdout.split("\r\n");
    expect(csv[0]).toBe("user,machine,os_user,capabilities");
    expect(csv[1]).toStartWith("ada@example.com,web1,deploy,connect shell");
    expect(JSON.parse((await qf("what", "--user", "ada@example.com", "--json")).stdout)).toHaveLength(1);
    const ask = ["explain", "--user", "ada@example.com", "--machine", "web1", "--as"];
    expect(JSON.parse((await qf(...ask, "root", "--json")).stdout)).toMatchObject({
      reason: "local_user_unmapped",
    });
    const forward = await qf(...ask, "deploy", "--action", "forward:10.0.0.1:22", "--json");
    expect(JSON.parse(forward.stdout)).toMatchObject({ reason: "forward_destination_not_allowed" });
    expect((await qf(...ask, "deploy")).stdout).toContain("granted");
    expect(await exitOf("explain", "--machine", "web1")).toBe(2);
    expect(await exitOf("explain", "d34hgk3f9s8d7f6g5h4j")).toBe(1);
    expect(JSON.parse((await qf("schema")).stdout)).toMatchObject({ type: "object" });
  }, 60_000);

  const wrong: [name: string, text: string, exit: number][] = [
    ["an unknown name", FILE.replace("[web]", "[wbe]"), 1],
    ["the same key twice", `${FILE}tests: []\n`, 1],
    ["a tab", "policies:\n\t- name: a\n", 1],
    ["a bomb", "a: &a [x, x]\nb: &b [*a, *a]\n", 1],
    ["a cycle", "groups: {web: {approver_groups: [web]}}", 1],
    ["10 MB", `#${"x".repeat(10_000_000)}`, 1],
  ];
  test.each(wrong)("%s is refused with one sentence", async (_, text, exit) => {
    const file = fileOf(text, "wrong.yaml");
    const { exitCode, stdout, stderr } = await qf("diff", file);
    expect([exitCode, stdout]).toEqual([exit, ""]);
    expect(stderr.match(/^qf: error: /gm)).toHaveLength(1);
  });

  test("a file that is not there is a usage error", async () => {
    expect(await exitOf("diff", "nothing.yaml")).toBe(2);
    expect(await exitOf("diff")).toBe(2);
    expect(await exitOf("diff", "policy.yaml", "--days", "91")).toBe(2);
  });
});
