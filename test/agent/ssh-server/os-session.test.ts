/** What the operating system sees of a session, and what its person sees of the operating system. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hasPam } from "../../../src/agent/os/pam.ts";
import { sentenceOf } from "../../../src/policy/sentences.ts";
import type { SshCapabilities } from "../../../src/wire/policy.ts";
import { type OpenSsh, openSshClient } from "../../support/openssh-client.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { hasPamRules, PamRules } from "../../support/pam-rules.ts";
import { aRule } from "../../support/policy.ts";
import { alivePids } from "../../support/processes.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { until } from "../../support/until.ts";

const hasSsh = Bun.which("ssh") !== null;
const UTMP = "/run/utmp";
const LASTLOG = "/var/log/lastlog";
const LOG = '#!/bin/sh\necho "$PAM_TYPE $PAM_TTY" >>"$(dirname "$0")/log"\n';

describe.skipIf(!isRoot || !hasSsh)("a session", () => {
  let world: TestSshServer;
  let account: OsAccount;
  let client: OpenSsh;
  let isUtmpOurs = false;
  beforeAll(async () => {
    world = await openTestSshServer();
    client = openSshClient(world, await world.issue());
    isUtmpOurs = !existsSync(UTMP);
    if (isUtmpOurs) writeFileSync(UTMP, "", { mode: 0o664 });
  });
  afterAll(async () => {
    client.remove();
    await world.close();
    if (isUtmpOurs) rmSync(UTMP, { force: true });
  });
  beforeEach(() => {
    account = new OsAccount("oss");
    grant({});
  });
  afterEach(() => account[Symbol.dispose]());
  const grant = (capabilities: SshCapabilities): void => {
    const rule = aRule("rule", ["devs"], "full", { capabilities });
    world.map = { ...world.map, rules: { [rule.id]: rule } };
  };
  const run = (command: string, flags: readonly string[] = []) =>
    client.run(account.name, [command], { flags });
  /** An interactive shell that is given `input`; what its terminal showed. */
  const shell = async (input: string): Promise<string> =>
    (await client.run(account.name, [], { flags: ["-tt"], stdin: `${input}\nexit\n` })).stdout;

  test("on a terminal is what who(1) shows, with its source, until it ends", async () => {
    const shown = await shell("stty -echo; who; tty");
    const terminal = /\/dev\/(pts\/\d+)/.exec(shown)?.[1];
    expect(shown).toMatch(new RegExp(`^${account.name}\\s+${terminal}\\s.*\\(127\\.0\\.0\\.1\\)`, "m"));
    expect(Bun.spawnSync(["who"]).stdout.toString()).not.toContain(account.name);
    const last = Bun.spawnSync(["last", "-w", account.name]).stdout.toString();
    expect(last).toContain(`${terminal}`);
    expect(last).not.toContain("still logged in");
  });

  test("without a terminal is no login", async () => {
    expect((await run("who")).stdout).not.toContain(account.name);
  });

  test("with a shell begins with the message of the day, once, and the last login", async () => {
    const first = await shell("");
    const motd = readFileSync("/etc/motd", "utf8").trim().split("\n")[0] ?? "";
    expect(first.split(motd)).toHaveLength(2);
    expect(first).not.toContain("Last login:");
    const second = await shell("");
    if (existsSync(LASTLOG))
      expect(second).toMatch(/Last login: \w{3} \w{3} [ \d]\d [\d:]{8} \d{4} from 127\.0\.0\.1\r\n/);
  });

  test("with ~/.hushlogin or a command begins with nothing", async () => {
    const motd = readFileSync("/etc/motd", "utf8").trim().split("\n")[0] ?? "";
    expect((await run("true", ["-tt"])).stdout).toBe("");
    writeFileSync(`${account.home}/.hushlogin`, "");
    await shell("");
    const shown = await shell("");
    expect(shown).not.toContain(motd);
    expect(shown).not.toContain("Last login:");
  });

  test("takes from a client what its grant lists, and nothing that decides what runs", async () => {
    const flags = ["-o", "SetEnv=LANG=C.UTF-8 APP_MODE=test PATH=/x LD_PRELOAD=/x GIT_DIR=/y"];
    expect((await run("echo $LANG,$APP_MODE", flags)).stdout).toBe("C.UTF-8,\n");
    grant({ env: ["APP_*", "*"] });
    const { stdout } = await run("echo $LANG,$APP_MODE,$LD_PRELOAD,$GIT_DIR; echo $PATH", flags);
    expect(stdout.split("\n")[0]).toBe("C.UTF-8,test,,/y");
    expect(stdout).not.toContain("/x");
    grant({ env: [] });
    expect((await run("echo $APP_MODE", flags)).stdout).toBe("\n");
  });

  test("never reads ~/.ssh/environment", async () => {
    Bun.spawnSync(["install", "-d", "-o", account.name, `${account.home}/.ssh`]);
    writeFileSync(`${account.home}/.ssh/environment`, "FROM_FILE=1\n");
    expect((await run("echo [$FROM_FILE]")).stdout).toBe("[]\n");
  });

  test("of an account without a home, or with one that is closed, starts in / and says so", async () => {
    chmodSync(account.home, 0);
    const closed = await run("pwd; echo $HOME");
    expect(closed.stdout).toBe(`/\n${account.home}\n`);
    expect(closed.stderr).toContain(`Could not chdir to home directory ${account.home}: Permission denied`);
    rmSync(account.home, { recursive: true });
    const missing = await run("pwd; echo $HOME");
    expect(missing.stdout).toBe(`/\n${account.home}\n`);
    expect(missing.stderr).toContain("No such file or directory");
    expect(missing.status).toBe(0);
  });

  test("is refused to an account whose shell is not there", async () => {
    account.change("usermod", "--shell", "/no/such/shell");
    const { status, stderr } = await run("true");
    expect(status).toBe(255);
    expect(stderr).toContain(sentenceOf("account_nologin").sentence);
  });

  describe.skipIf(!hasPam() || !hasPamRules)("under PAM", () => {
    let rules: PamRules;
    beforeEach(() => {
      rules = new PamRules();
      rules.write("log.sh", LOG);
    });
    afterEach(() => rules[Symbol.dispose]());

    test("is refused with what a module says, to the person's own terminal", async () => {
      rules.write("notice", "closed for repairs until noon\n");
      rules.set(account.name, [
        "account optional pam_echo.so file=%F/notice",
        "account required pam_deny.so",
      ]);
      const { status, stderr } = await run("true");
      expect(status).toBe(255);
      expect(stderr).toContain(sentenceOf("account_refused").sentence);
      expect(stderr).toContain("closed for repairs until noon");
      const denials = world.eventsOf("decision").map(({ decision }) => JSON.stringify(decision));
      expect(denials.at(-1)).toContain("account_refused");
    });

    test("shows an interactive shell what a module says of an account that may be used", async () => {
      rules.write("notice", "the password ends tomorrow\n");
      rules.set(account.name, ["account optional pam_echo.so file=%F/notice"]);
      expect(await shell("")).toContain("the password ends tomorrow\r\n");
      expect((await run("true")).stderr).toBe("");
    });

    test("that a module does not want is one line, and runs nothing", async () => {
      rules.write("no.sh", "#!/bin/sh\nexit 1\n");
      rules.set(account.name, ["session required pam_exec.so quiet %F/no.sh"]);
      const { status, stdout, stderr } = await run("echo ran");
      expect({ status, stdout }).toEqual({ status: 255, stdout: "" });
      expect(stderr).toContain("The session could not be started: the operating system refused it");
    });

    test("is closed when its access is revoked, whatever runs in it", async () => {
      rules.set(account.name, ["session required pam_exec.so %F/log.sh"]);
      const child = Bun.spawn(
        [...client.argv(account.name, ["-tt"]), "trap '' TERM HUP; sleep 50; sleep 50"],
        {
          stdout: "ignore",
          stderr: "ignore",
          stdin: "pipe",
        },
      );
      await until(() => rules.read("log").includes("open_session /dev/pts/"));
      await until(() => account.pids().length > 0);
      world.change((map) => ({ ...map, rules: {} }));
      await child.exited;
      await until(() => rules.read("log").includes("close_session /dev/pts/"));
      // Modules close the session once its leader has ended; all others are killed with it.
      await until(() => alivePids(account).length === 0);
    });

    test("of each channel is its own", async () => {
      rules.set(account.name, ["session required pam_exec.so %F/log.sh"]);
      await run("true");
      // What closes it is not waited for by the client.
      await until(() => rules.read("log").split("\n").length === 3);
      await run("true");
      await until(() => rules.read("log").split("\n").length === 5);
      expect(rules.read("log")).toBe("open_session ssh\nclose_session ssh\n".repeat(2));
    });
  });
});
