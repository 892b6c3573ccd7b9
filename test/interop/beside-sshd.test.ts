/** Sessions and forwards of ssh(1), to sshd and to a machine of ours: the same bytes, the same status. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sentenceOf } from "../../src/policy/sentences.ts";
import { type BesideSshd, hasSshd, openBesideSshd, type Way } from "../support/beside-sshd.ts";
import { freePort, startEcho } from "../support/echo.ts";
import { isRoot } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";

const WAYS = ["sshd", "plain listener", "drop-in"] as const;
const ENVIRONMENT = ["LANG", "LC_*", "X_*", "GIT_*"];
/** With what every system has, more than 64. */
const OWN_GROUPS = 40;

describe.skipIf(!isRoot || !hasSshd)("beside sshd", () => {
  let beside: BesideSshd;
  let user = "";
  beforeAll(async () => {
    beside = await openBesideSshd({
      sshdConfig: `AcceptEnv ${ENVIRONMENT.join(" ")}`,
      rule: { ssh: { env: ENVIRONMENT } },
    });
    user = beside.machine.account.name;
  }, 60_000);
  afterAll(async () => {
    await beside?.[Symbol.asyncDispose]();
  });

  const way = (name: (typeof WAYS)[number]): Way => beside.ways[WAYS.indexOf(name)] as Way;
  const ways = () => beside.ways;
  /** What each way gives for `command`, without what is ours to say on stderr. */
  const onAll = (command: string, options: readonly string[] = []) =>
    Promise.all(ways().map((one) => beside.ssh(one, command, options)));

  test(`an account with more than 64 groups is in all of them`, async () => {
    const all = await runProcess(["getent", "group"], { env: {} });
    // Not those of accounts that other tests make and remove.
    const names = all.stdout.split("\n").flatMap((line) => line.split(":")[0] || []);
    const lasting = names.filter((name) => !name.startsWith("qf"));
    const own = Array.from({ length: OWN_GROUPS }, (_, i) => `${user}${i}`.slice(-31));
    for (const name of own) await system("groupadd", name);
    await system("usermod", "-a", "-G", [...lasting, ...own].join(","), user);
    try {
      const [sshd, ...ours] = await onAll("id -G | tr ' ' '\\n' | sort -n | xargs");
      expect(sshd?.stdout.split(" ").length).toBeGreaterThan(64);
      for (const { stdout } of ours) expect(stdout).toBe(sshd?.stdout ?? "");
      // A forward's process as well, which takes its groups from the account database.
      await using echo = await startEcho();
      const { stdout } = await beside.shell(way("plain listener"), 'echo over | "$@"', [
        "-W",
        `127.0.0.1:${echo.port}`,
      ]);
      expect(stdout).toBe("over\nbye");
    } finally {
      for (const name of own) await system("groupdel", name);
    }
  }, 60_000);

  test("variables are set as many and as long as sshd sets them, and what is dropped is said", async () => {
    const many = Array.from({ length: 140 }, (_, i) => `X_${String(i).padStart(3, "0")}=1`);
    const set = (...values: string[]) => ["-o", `SetEnv=${values.join(" ")}`];
    const [sshd, ...ours] = await onAll("env | grep -c ^X_", set(...many));
    for (const { stdout, stderr } of ours) {
      expect(stdout).toBe(sshd?.stdout ?? "");
      expect(stderr).toMatch(/^Not set here: X_129 X_130 .* and 3 more \(/);
    }
    const long = "x".repeat(20_000);
    for (const { stdout } of await onAll('printf %s "$X_LONG" | wc -c', set(`X_LONG=${long}`))) {
      expect(stdout).toBe("20000\n");
    }
    const [theirs, ...others] = await onAll(
      'echo "[$OTHER] [$GIT_PROTOCOL]"',
      set("OTHER=1", "GIT_PROTOCOL=2"),
    );
    expect(theirs).toMatchObject({ stdout: "[] [2]\n", stderr: "" });
    for (const result of others) {
      expect(result).toMatchObject({
        stdout: "[] [2]\n",
        stderr: expect.stringMatching(/^Not set here: OTHER \(/),
      });
    }
  });

  test("an unknown subsystem is refused, and why is said", async () => {
    const [sshd, ...ours] = await onAll("netconf", ["-s"]);
    expect(sshd).toMatchObject({
      exitCode: 255,
      stderr: expect.stringContaining("subsystem request failed"),
    });
    for (const { exitCode, stderr } of ours) {
      expect(exitCode).toBe(255);
      expect(stderr).toContain("subsystem request failed");
      expect(stderr).toContain(sentenceOf("subsystem_unknown").sentence);
    }
  });

  test.each(["0.0.0.0", "*", "192.0.2.1"])("-R %s listens on the loopback", async (host) => {
    await using echo = await startEcho();
    for (const one of ways()) {
      const port = await freePort();
      const forward = ["-o", "ExitOnForwardFailure=yes", "-R", `${host}:${port}:127.0.0.1:${echo.port}`];
      const script = `(exec 3<>/dev/tcp/127.0.0.1/${port}; printf over >&3; head -c 4 <&3)
        ! (exec 3<>/dev/tcp/127.0.0.2/${port}) 2>/dev/null`;
      const { stdout, exitCode } = await beside.ssh(one, script, forward);
      expect({ way: one.name, stdout, exitCode }).toEqual({ way: one.name, stdout: "over", exitCode: 0 });
    }
  });

  test("a command does not run where a forward that has to be there is refused", async () => {
    const port = await freePort();
    const twice = [1, 2].flatMap((target) => ["-R", `127.0.0.1:${port}:127.0.0.1:${target}`]);
    for (const one of ways()) {
      const { exitCode, stdout } = await beside.ssh(one, "echo ran", [
        "-oExitOnForwardFailure=yes",
        ...twice,
      ]);
      expect({ way: one.name, exitCode, stdout }).toEqual({ way: one.name, exitCode: 255, stdout: "" });
    }
  });

  describe.each(["/usr/sbin/nologin", "/bin/false"])("an account with %s", (shell) => {
    beforeAll(() => system("usermod", "-s", shell, user));
    afterAll(() => system("usermod", "-s", "/bin/bash", user));

    test("forwards", async () => {
      await using echo = await startEcho();
      for (const one of ways()) {
        const { stdout } = await beside.shell(one, 'echo over | "$@"', ["-W", `127.0.0.1:${echo.port}`]);
        expect(stdout).toBe("over\nbye");
      }
    });

    test("gets its shell's refusal for a session", async () => {
      for (const command of ["id", ""]) {
        const [sshd, ...ours] = await Promise.all(
          ways().map((one) =>
            beside.shell(one, command === "" ? '"$@" </dev/null' : `"$@" ${command}`, ["-T"]),
          ),
        );
        expect(sshd?.exitCode).toBe(1);
        // sshd shows the message of the day also where there is no terminal.
        const refusal = shell === "/bin/false" ? "" : "This account is currently not available.\n";
        expect(sshd?.stdout).toEndWith(refusal);
        for (const { exitCode, stdout } of ours) {
          expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: refusal });
        }
      }
    });

    test("has no SFTP, which its shell would not see", async () => {
      const { machine } = beside;
      const batch = ["sftp", "-q", "-b", "/dev/null", "-F", machine.config, `${user}@${machine.host}`];
      const { exitCode, stderr } = await machine.run(batch);
      expect(exitCode).toBe(255);
      expect(stderr).toContain(sentenceOf("account_nologin").sentence);
    });
  });
});

async function system(...command: string[]): Promise<void> {
  for (let left = 40; ; left--) {
    const { exitCode, stderr } = await runProcess(command, {
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    });
    if (exitCode === 0) return;
    // Another process has the lock of the account database.
    if (left === 0 || !stderr.includes("cannot lock")) throw new Error(`${command.join(" ")}: ${stderr}`);
    await Bun.sleep(100);
  }
}
