/** Administration by `qf login`: no token is made by name, and the role decides. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Lab, type LabDevice, OWNER, openLab, type Person } from "../support/lab.ts";
import { LabTerminal } from "../support/lab-terminal.ts";

describe("administration by login", () => {
  let lab: Lab;
  let owner: LabDevice;
  let ada: Person;
  let hers: LabDevice;

  beforeAll(async () => {
    lab = await openLab();
    ada = await lab.createPerson("ada@example.com");
    owner = lab.device(OWNER, "desk");
    hers = lab.device(ada, "laptop");
  }, 120_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  test("an owner signs in for one command where no login is kept", async () => {
    const made = await owner.qf(["group", "create", "Web"]);
    expect(made).toMatchObject({ exitCode: 0 });
    expect(made.stdout).toMatch(/^created group Web/);
  });

  test("a kept login administers without a question", async () => {
    await owner.login();
    const listed = await owner.qf(["group", "list"], { env: { QF_NO_BROWSER: "1" } });
    expect(listed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(listed.stdout).toContain("Web");
  });

  test("Tab in a bash completes commands, flags, and names that the kept login shows", async () => {
    const path = `${dirname(lab.executable)}:${process.env.PATH}`;
    const env = owner.env({ PATH: path, TERM: "dumb", PS1: "$ ", QF_NO_BROWSER: "1" });
    const bash = new LabTerminal(["bash", "--norc", "--noprofile", "-i"], lab.env(env), lab.root);
    bash.type('source <(qf completion bash); echo "here $((1 + 1))"\r');
    await bash.expect(/^here 2/m);
    const lines: [typed: string, shown: RegExp][] = [
      ["qf gro\tupd\tWe\t--pe\t", /qf group update Web --peers $/],
      ["qf user update ad\t--ro\tad\t", /qf user update ada@example\.com --role admin $/],
      ["qf user update --groups=We\t", /qf user update --groups=Web $/],
      ["qf ssh -o ExitOn\t", /qf ssh -o ExitOnForwardFailure=$/],
    ];
    for (const [typed, shown] of lines) {
      bash.type(typed);
      await bash.expect(shown, 30_000);
      bash.type("\u0015");
    }
    bash.process.kill("SIGKILL");
    await bash.process.exited;
  });

  test("Tab where no login is kept asks nobody and makes nothing", async () => {
    const configDir = join(lab.root, "no-config");
    const env = { QF_MANAGEMENT_URL: lab.url, QF_CONFIG_DIR: configDir };
    const reply = await lab.qf(["__complete", "fish", "group", "update", ""], { env });
    expect(reply).toMatchObject({ exitCode: 0, stdout: "only\n", stderr: "" });
    expect(existsSync(configDir)).toBe(false);
    const hersReply = await hers.qf(["__complete", "fish", "group", "update", ""]);
    expect(hersReply).toMatchObject({ exitCode: 0, stdout: "only\n", stderr: "" });
  });

  test("a plain user is told that the role does not allow it", async () => {
    await hers.login();
    const refused = await hers.qf(["group", "create", "Mine"]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("the role user may not do this");
  });

  test("a token of scope api in the environment does not stand in the way of qf ssh's sign-in", async () => {
    const env = { QF_TOKEN: lab.token };
    const who = await hers.qf(["whoami"], { env });
    expect(who).toMatchObject({ exitCode: 0 });
    expect(who.stdout).toContain("ada@example.com");
  });

  test("account get and set show and change settings; an unknown one is refused with those near it", async () => {
    const all = await owner.qf(["account", "get"]);
    expect(all).toMatchObject({ exitCode: 0, stderr: "" });
    expect(all.stdout).toContain("network_range");
    expect((await owner.qf(["account", "get", "login_seconds_max"])).stdout).toContain("43200");
    const set = ["account", "set", "login_seconds_max=3600", "--also", "require.reason=true"];
    expect((await owner.qf(set)).stdout).toBe("changed the account's settings\n");
    expect((await owner.qf(set)).stdout).toBe("nothing changed: the settings were so already\n");
    expect((await owner.qf(["account", "get", "require"])).stdout).toMatch(/require\.reason +true/);
    const wrong = await owner.qf(["account", "set", "login_second=1"]);
    expect(wrong).toMatchObject({ exitCode: 2 });
    expect(wrong.stderr).toContain("did you mean login_seconds_max");
    await owner.qf(["account", "set", "require.reason=false"]);
  });

  test("policy update changes a rule's field and keeps the others", async () => {
    await owner.qf(["group", "create", "Machines"]);
    const create = ["policy", "create", "web", "--sources", "Web", "--destinations", "Machines"];
    await owner.qf([...create, "--authorized-groups", "Web=deploy"]);
    const update = ["policy", "update", "web", "--set", "ssh.sftp=read", "--set", "ssh.record=best_effort"];
    expect(await owner.qf(update)).toMatchObject({ exitCode: 0 });
    expect(await owner.qf(["policy", "update", "web", "--enabled=false"])).toMatchObject({ exitCode: 0 });
    const [policy] = JSON.parse((await owner.qf(["policy", "list", "--json"])).stdout);
    expect(policy).toMatchObject({
      enabled: false,
      rules: [{ ssh: { sftp: "read", record: "best_effort" }, authorized_groups: expect.any(Object) }],
    });
    const wrong = await owner.qf(["policy", "update", "web", "--set", "ssh.sftpp=read"]);
    expect(wrong.exitCode).toBe(1);
  });

  test("policy update takes one entry of a list, and a time, as its help writes them", async () => {
    const values = ["ssh.local_forward=db:5432", "valid_until=2027-01-31T00:00:00Z"];
    const update = ["policy", "update", "web", ...values.flatMap((value) => ["--set", value])];
    expect(await owner.qf(update)).toMatchObject({ exitCode: 0, stderr: "" });
    const [policy] = JSON.parse((await owner.qf(["policy", "list", "--json"])).stdout);
    expect(policy.rules[0]).toMatchObject({
      ssh: { local_forward: ["db:5432"] },
      valid_until: 1_801_353_600,
    });
  });

  test("posture checks are made, changed, listed and deleted by commands", async () => {
    const condition = (version: string) => `nb_version_check.min_version=${version}`;
    const made = await owner.qf(["posture-check", "create", "recent", "--set", condition("0.1.0")]);
    expect(made).toMatchObject({ exitCode: 0 });
    await owner.qf(["posture-check", "update", "recent", "--set", condition("0.2.0")]);
    expect((await owner.qf(["posture-check", "list"])).stdout).toContain('min_version="0.2.0"');
    const checksOfWeb = async () =>
      JSON.parse((await owner.qf(["policy", "list", "--json"])).stdout)[0].source_posture_checks;
    const set = (checks: string) => owner.qf(["policy", "update", "web", "--posture-checks", checks]);
    expect(await set("recent")).toMatchObject({ exitCode: 0 });
    expect(await checksOfWeb()).toHaveLength(1);
    expect((await owner.qf(["policy", "update", "web", "--enabled=false"])).exitCode).toBe(0);
    expect(await checksOfWeb()).toHaveLength(1);
    expect((await set("none-such")).stderr).toContain("there is no posture-check");
    expect(await checksOfWeb()).toHaveLength(1);
    expect(await set("")).toMatchObject({ exitCode: 0 });
    expect(await checksOfWeb()).toEqual([]);
    expect(await owner.qf(["posture-check", "delete", "recent"])).toMatchObject({ exitCode: 0 });
  });

  test("setup-key update changes the groups of machines to come", async () => {
    await owner.qf(["setup-key", "create", "fleet", "--reusable"]);
    expect(await owner.qf(["setup-key", "update", "fleet", "--groups", "Web"])).toMatchObject({
      exitCode: 0,
    });
    expect((await owner.qf(["setup-key", "list"])).stdout).toMatch(/fleet.*Web/);
  });

  test("logout ends it", async () => {
    await owner.qf(["logout"]);
    const asked = await owner.qf(["group", "list"], { env: { QF_NO_BROWSER: "1" }, stdin: "" });
    expect(asked.exitCode).not.toBe(0);
  });

  test("an update says whether anything is other than before", async () => {
    for (const create of [
      ["group", "create", "Same"],
      ["setup-key", "create", "same", "--groups", "Same"],
      ["posture-check", "create", "same", "--set", "nb_version_check.min_version=0.1.0"],
      ["policy", "create", "same", "--sources", "Same", "--destinations", "Same"],
    ]) {
      expect(await owner.qf(create)).toMatchObject({ exitCode: 0 });
    }
    const [{ id: desk, name }] = JSON.parse((await owner.qf(["peer", "list", "--json"])).stdout);
    const updates: [args: string[], same: string[], other: string[]][] = [
      [
        ["group", "update", "Same"],
        ["--name", "Same"],
        ["--peers", desk],
      ],
      [
        ["group", "update", "Same"],
        ["--peers", desk],
        ["--peers", ""],
      ],
      [
        ["setup-key", "update", "same"],
        ["--groups", "Same"],
        ["--groups", ""],
      ],
      [
        ["posture-check", "update", "same"],
        ["--set", "nb_version_check.min_version=0.1.0"],
        ["--description", "x"],
      ],
      [["policy", "update", "same"], ["--sources", "Same"], ["--enabled=false"]],
      [
        ["user", "update", "ada@example.com"],
        ["--role", "user", "--blocked=false"],
        ["--groups", "Same"],
      ],
      [
        ["peer", "update", desk],
        ["--name", name],
        ["--name", "renamed"],
      ],
    ];
    for (const [args, same, other] of updates) {
      const noun = args[0]?.replace("-", " ");
      const stdoutOf = async (change: string[]) => {
        const { stdout, stderr } = await owner.qf([...args, ...change]);
        return stdout + stderr;
      };
      expect(await stdoutOf(same)).toStartWith(`nothing changed: ${noun} `);
      expect(await stdoutOf(other)).toStartWith(`changed ${noun} `);
    }
  });
});
