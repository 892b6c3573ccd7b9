/**
 * Commands of the documents, as they stand: a shell runs each block whose mark names this file, page by page,
 * as owner of an account that has what the pages speak of. Placeholders are replaced by what is there.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Lab, type LabDevice, OWNER } from "../support/lab.ts";
import { isRoot } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { documents, type ShellBlock, shellBlocks } from "../tidy/documents.ts";

const GROUPS = ["Developers", "Servers", "Oncall", "Robots"];
const POLICIES = ["deploy", "production"];
const [EXAMPLE_URL, EXAMPLE_ID, EXAMPLE_RECEIPT] = [
  "https://qf.example.com",
  "d34hgk3f9s8d7f6g5h4j",
  "7ipbsu4ocay6fmllrnlm",
];
const CREATES = /\b(group|user|policy|setup-key|token)(?: create |s --data '{"name": ")([^\s"]+)/g;

const ROBOT = { QF_CONFIG_DIR: join(tmpdir(), `qf-robot-${process.pid}`) };

/** Blocks that take away what others need, and what needs a server that has stopped. */
const isLast = ({ commands }: ShellBlock): boolean =>
  commands.some((line) => line.startsWith("qf peer delete"));
const needsStop = ({ commands }: ShellBlock): boolean =>
  commands.some((line) => line.includes("rotate log-key"));

const all = documents()
  .filter(({ path }) => path === "README.md" || path.startsWith("docs/"))
  .flatMap(shellBlocks)
  .filter(({ mark }) => mark?.startsWith("run by test/e2e/documents.test.ts"))
  .sort((a, b) => a.path.localeCompare(b.path));
const commandsOf = ({ commands }: ShellBlock): string => commands.join("\n");
const once = all.filter((block, at) => all.findIndex((one) => commandsOf(one) === commandsOf(block)) === at);
const BLOCKS = [
  ...once.filter((block) => !isLast(block) && !needsStop(block)),
  ...once.filter(isLast),
  ...once.filter(needsStop),
];

interface Named {
  readonly id: string;
  readonly name: string;
}

describe.skipIf(!isRoot)("a block of commands in the documents runs", () => {
  let setUp: SetUp;
  let lab: Lab;
  let desk: LabDevice;
  let folder: string;
  let receipt: string;
  let renamed = 0;

  beforeAll(async () => {
    setUp = await openSetUp({
      accounts: [["deploy"]],
      // What decides here has names that no page changes.
      groups: { devs: "Crew", servers: "Fleet" },
      people: { ada: ["devs"] },
      machines: { web1: ["--enable-ssh-sftp"] },
      devices: {},
    });
    ({ lab } = setUp);
    await lab.api("PUT", `/api/users/${lab.ownerId}`, {
      ...{ role: "owner", auto_groups: [setUp.devs], is_blocked: false },
    });
    for (const name of ["web2", "db1"]) await (await lab.startAgent(name)).kill();
    desk = lab.device(OWNER, "ada-laptop");
    await desk.login();
    const refused = await desk.ssh(["nobody-here@web1", "true"]);
    receipt = /receipt (\w+)/.exec(refused.stderr)?.[1] ?? "";
    folder = join(lab.root, "work");
    mkdirSync(folder);
    await nameDevice();
    writeFileSync(join(folder, "deployer-token"), await tokenOfRobot());
    writeFileSync(join(lab.root, "home/qf-token"), lab.token);
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
    rmSync(ROBOT.QF_CONFIG_DIR, { recursive: true, force: true });
  });

  test.each(BLOCKS.map((block) => [`${block.path}:${block.line}`, block] as const))(
    "%s",
    async (_, block) => {
      const made = block.commands.flatMap((line) =>
        [...line.matchAll(CREATES)].map(([, noun = "", name = ""]) => `${noun} ${name}`),
      );
      for (const what of made) await takeAway(what);
      await ensure(made);
      const before = await lab.api<[{ id: string; settings: unknown }]>("GET", "/api/accounts");
      await using session = block.commands.some((line) => /session (?:show|kill)/.test(line))
        ? await aSession()
        : null;
      const isAsked = block.commands.some((line) => line.includes("access request --machine"));
      if (isAsked) await requireApproval(true);
      if (needsStop(block)) await lab.management?.stop();
      const script = block.commands.map((line) => substituted(line, session?.id ?? "")).join("\n");
      const path = `${dirname(lab.executable)}:${process.env.PATH}`;
      const ran = await runProcess(["bash", "-e", "-c", script], {
        // A service user's commands come from a computer of its own.
        env: lab.env(desk.env({ PATH: path, ...(script.includes("deployer-token") ? ROBOT : {}) })),
        cwd: folder,
        timeoutMs: 50_000,
      });
      if (isAsked) await requireApproval(false);
      expect({ script, ...ran }).toMatchObject({ script, exitCode: 0 });
      if (!needsStop(block))
        await lab.api("PUT", `/api/accounts/${before[0].id}`, { settings: before[0].settings });
    },
  );

  async function nameDevice(): Promise<void> {
    const peers = await lab.api<(Named & { kind: string })[]>("GET", "/api/peers");
    const id = peers.find(({ kind }) => kind === "device")?.id ?? "";
    expect(await desk.qf(["peer", "update", id, "--name", "ada-laptop"])).toMatchObject({ exitCode: 0 });
  }

  async function tokenOfRobot(): Promise<string> {
    const body = { name: "robot", role: "user", is_service_user: true, auto_groups: [setUp.devs] };
    const { id } = await lab.api<Named>("POST", "/api/users", body);
    const asked = { name: "ssh", expires_in: 1, scope: "ssh" };
    return (await lab.api<{ plain_token: string }>("POST", `/api/users/${id}/tokens`, asked)).plain_token;
  }

  async function requireApproval(required: boolean): Promise<void> {
    const values = [`ssh.require_approval=${required}`, `approver_groups=${required ? setUp.servers : "[]"}`];
    const args = ["policy", "update", setUp.policy.id, ...values.flatMap((value) => ["--set", value])];
    expect(await desk.qf(args)).toMatchObject({ exitCode: 0 });
  }

  /** What is to be created is not there yet. A group that is in use goes on under another name. */
  async function takeAway(what: string): Promise<void> {
    const [noun = "", name = ""] = what.split(" ");
    if (noun === "token") return;
    const path = `/api/${noun === "policy" ? "policies" : `${noun}s`}`;
    const query = name.includes("@") || noun !== "user" ? "" : "?service_user=true";
    const there = await lab.api<(Named & { email?: string; peers?: Named[] })[]>("GET", path + query);
    for (const one of there.filter(({ name: its, email }) => its === name || email === name)) {
      if (noun === "group") {
        renamed += 1;
        const peers = one.peers?.map(({ id }) => id) ?? [];
        await lab.api("PUT", `${path}/${one.id}`, { name: `${name} ${renamed}`, peers });
      } else {
        await lab.api("DELETE", `${path}/${one.id}`);
      }
    }
  }

  /** Everything that pages name is there, but for what the block makes itself. */
  async function ensure(made: readonly string[]): Promise<void> {
    const groups = await lab.api<Named[]>("GET", "/api/groups");
    for (const name of GROUPS) {
      const isThere = groups.some((group) => group.name === name);
      if (!isThere && !made.includes(`group ${name}`)) await lab.createGroup(name);
    }
    const policies = await lab.api<Named[]>("GET", "/api/policies");
    for (const name of POLICIES) {
      const isThere = policies.some((policy) => policy.name === name);
      if (!isThere && !made.includes(`policy ${name}`))
        await lab.createPolicy(name, [setUp.devs], [setUp.servers], {
          authorized_groups: { [setUp.devs]: ["nobody-here"] },
        });
    }
    const users = await lab.api<(Named & { email: string })[]>("GET", "/api/users");
    const hasAda = users.some(({ email }) => email === "ada@example.com");
    if (!hasAda && !made.includes("user ada@example.com"))
      await lab.createPerson("ada@example.com", [setUp.devs]);
    const robots = await lab.api<Named[]>("GET", "/api/users?service_user=true");
    if (robots.some(({ name }) => name === "nightly") || made.includes("user nightly")) return;
    await lab.api("POST", "/api/users", {
      name: "nightly",
      role: "user",
      is_service_user: true,
      auto_groups: [],
    });
  }

  function substituted(line: string, sessionId: string): string {
    const { name } = setUp.account;
    return (
      line
        .replaceAll(EXAMPLE_URL, lab.url)
        .replaceAll(EXAMPLE_RECEIPT, receipt)
        .replaceAll(EXAMPLE_ID, line.includes("session") ? sessionId : setUp.devs)
        .replace(/\bdeploy(?=@)|(?<==|--as )deploy\b/g, name)
        .replaceAll("/etc/deployer/token", join(folder, "deployer-token"))
        .replace(/^qf management .*/, `$& --data-dir ${lab.dataDir}`)
        // Status 3: nothing was kept outside that could confirm it, as the page says.
        .replace(/^qf audit verify(?: \S+)?$/, "$& || [ $? = 3 ]")
        .replace(" --follow", "")
    );
  }

  async function aSession() {
    const child = desk.spawn(["ssh", `${setUp.account.name}@web1`, "cat"]);
    const [found] = await lab.until("the session", async () => {
      const sessions = await lab.api<Named[]>("GET", "/api/sessions?state=live");
      return sessions.length > 0 ? sessions : undefined;
    });
    return {
      id: found?.id ?? "",
      async [Symbol.asyncDispose]() {
        child.kill();
        await child.exited;
      },
    };
  }
});
