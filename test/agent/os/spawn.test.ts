import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import type { ChildSpec } from "../../../src/agent/os/child-spec.ts";
import type { FdReader } from "../../../src/agent/os/pipes.ts";
import { openPty, type Pty } from "../../../src/agent/os/pty.ts";
import { helperPath } from "../../../src/agent/os/session-helper.ts";
import { spawnAs } from "../../../src/agent/os/spawn.ts";
import { type LocalAccount, lookUpAccount } from "../../../src/agent/os/users.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { until } from "../../support/until.ts";

const SIZE = { cols: 99, rows: 33, width: 0, height: 0 };

async function readAll(reader: FdReader | null): Promise<string> {
  const parts: Uint8Array[] = [];
  for (let data = await reader?.read(); data; data = await reader?.read()) parts.push(data);
  return Buffer.concat(parts).toString();
}

async function accountOf(name: string): Promise<LocalAccount> {
  const account = await lookUpAccount(name, 0);
  if (account === null) throw new Error(`no account ${name}`);
  return account;
}

let helper: string | null = null;

async function runAs(
  account: LocalAccount,
  command: string,
  change: Partial<ChildSpec> = {},
  pty: Pty | null = null,
) {
  const child = await spawnAs({
    ...{ helper, pty },
    contain: async () => {},
    spec: {
      user: account.name,
      uid: account.uid,
      gid: account.gid,
      drop: true,
      tty: pty !== null,
      home: account.home,
      file: "/bin/sh",
      argv: ["sh", "-c", command],
      env: { GREETING: "hello" },
      ...change,
    },
  });
  const [stdout, stderr] = await Promise.all([readAll(child.stdout), readAll(child.stderr)]);
  const exit = await child.exited;
  for (const end of [child.stdin, child.stdout, child.stderr]) end?.close();
  pty?.close();
  return { stdout, stderr, ...exit };
}

const STATUS = "cat /proc/self/status; cat /proc/self/environ | tr '\\0' '\\n'; pwd; ls /proc/self/fd";

/** Of the session helper, and of this executable where that cannot run. */
describe.skipIf(!isRoot).each([
  ["the session helper", helperPath()],
  ["this executable", null],
] as const)("a privileged child of %s", (_kind, path) => {
  beforeAll(() => {
    helper = path;
  });

  test("has the user's ids and groups only, and no way back", async () => {
    using user = new OsAccount("ids", ["--groups", "tty,audio"]);
    const account = await accountOf(user.name);
    const { stdout, status } = await runAs(account, `${STATUS}; id -Gn`);
    const line = (name: string) => new RegExp(`^${name}:\\s*(.*?)\\s*$`, "m").exec(stdout)?.[1]?.split(/\s+/);
    expect(line("Uid")).toEqual(Array(4).fill(String(account.uid)));
    expect(line("Gid")).toEqual(Array(4).fill(String(account.gid)));
    expect(
      line("Groups")
        ?.map(Number)
        .sort((a, b) => a - b),
    ).toEqual([5, 29, account.gid]);
    for (const kind of ["CapEff", "CapPrm", "CapInh", "CapAmb"]) {
      expect(line(kind)).toEqual(["0000000000000000"]);
    }
    // sudo(8) must still work.
    expect(line("NoNewPrivs")).toEqual(["0"]);
    expect(line("Umask")).toEqual(["0022"]);
    expect(status).toBe(0);
  });

  test("starts with default signals and an empty mask", async () => {
    using user = new OsAccount("sig");
    const { stdout } = await runAs(await accountOf(user.name), STATUS);
    for (const kind of ["SigBlk", "SigIgn"]) expect(stdout).toMatch(new RegExp(`^${kind}:\\s*0{16}$`, "m"));
  });

  test("has the environment of its spec, its home, and three descriptors", async () => {
    using user = new OsAccount("env");
    const account = await accountOf(user.name);
    process.env.BUN_OPTIONS_PROBE = "1";
    const { stdout } = await runAs(account, "env | sort; pwd; ls -1 /proc/$$/fd");
    delete process.env.BUN_OPTIONS_PROBE;
    expect(stdout.split("\n").filter((line) => !/^(?:PWD|_|OLDPWD|SHLVL)=/.test(line))).toEqual([
      "GREETING=hello",
      account.home,
      "0",
      "1",
      "2",
      "",
    ]);
  });

  test("keeps its command out of /proc until it has become the user", async () => {
    using user = new OsAccount("argv");
    let argv = "";
    const account = await accountOf(user.name);
    const child = await spawnAs({
      ...{ helper, pty: null },
      contain: async (pid) => {
        argv = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      },
      spec: {
        ...{ user: account.name, uid: account.uid, gid: account.gid, drop: true, tty: false },
        ...{ home: "/", file: "/bin/true", argv: ["true", "--secret"], env: { SECRET: "secret" } },
      },
    });
    expect(await child.exited).toEqual({ status: 0, signal: null });
    expect(argv).not.toContain("secret");
  });

  test("falls back to / with a notice when the home is not there", async () => {
    using user = new OsAccount("home");
    const account = { ...(await accountOf(user.name)), home: "/no/such/home" };
    const { stdout, stderr } = await runAs(account, "pwd");
    expect(stdout).toBe("/\n");
    expect(stderr).toContain("Could not chdir to home directory /no/such/home");
  });

  test.each([
    ["status", "exit 7", { status: 7, signal: null }],
    ["signal", "kill -TERM $$", { status: null, signal: "SIGTERM" }],
    ["a broken pipe", "exec 2>/dev/null; yes | head -1 >/dev/null; exit 0", { status: 0, signal: null }],
  ])("reports its end by %s", async (_name, command, exit) => {
    using user = new OsAccount("end");
    expect(await runAs(await accountOf(user.name), command)).toMatchObject(exit);
  });

  test("fails without running anything when its ids are not to be had", async () => {
    using user = new OsAccount("bad");
    const account = await accountOf(user.name);
    const { stdout, stderr, status } = await runAs(account, "echo ran", { drop: false });
    expect({ stdout, status }).toEqual({ stdout: "", status: 254 });
    expect(stderr).toContain("qf: error: the session could not be started");
  });

  test("fails with one line when its program is not there", async () => {
    using user = new OsAccount("none");
    const { stderr, status } = await runAs(await accountOf(user.name), "", {
      file: "/no/such",
      argv: ["such"],
    });
    expect(status).toBe(254);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("owns its terminal, which has the wanted size and modes and controls its session", async () => {
    using user = new OsAccount("tty");
    const account = await accountOf(user.name);
    const pty = await openPty({ uid: account.uid, size: SIZE, modes: [{ opcode: 53, value: 0 }] });
    const command =
      "tty; stty size; stty -a | tr ' ' '\\n' | grep -x -e -echo; stat -c '%U %G %a' $(tty); ps -o tpgid= -p $$ | xargs; echo $$";
    const { stdout } = await runAs(account, command, {}, pty);
    const lines = stdout.split("\r\n");
    expect(lines.slice(0, 4)).toEqual([pty.path, "33 99", "-echo", `${user.name} tty 620`]);
    expect(lines[4]).toBe(lines[5] as string);
  });

  test("is told of a new window size", async () => {
    using user = new OsAccount("win");
    const account = await accountOf(user.name);
    const pty = await openPty({ uid: account.uid, size: SIZE, modes: [] });
    const ready = `/tmp/${user.name}-is-ready`;
    const running = runAs(
      account,
      `trap 'stty size; exit' WINCH; touch ${ready}; while :; do sleep 0.05; done`,
      {},
      pty,
    );
    await until("the trap", () => existsSync(ready));
    pty.resize({ cols: 120, rows: 50, width: 0, height: 0 });
    expect((await running).stdout.trim()).toBe("50 120");
    rmSync(ready);
  });

  test("signals no group whose leader has ended", async () => {
    using user = new OsAccount("led");
    const account = await accountOf(user.name);
    const child = await spawnAs({
      ...{ helper, pty: null },
      contain: async () => {},
      spec: {
        ...{ user: account.name, uid: account.uid, gid: account.gid, drop: true, tty: false },
        ...{ home: "/", file: "/bin/sh", argv: ["sh", "-c", "sleep 1000 > /dev/null 2>&1 &"] },
        env: { PATH: "/usr/bin:/bin" },
      },
    });
    await child.exited;
    // The group still has a member.
    expect(user.pids()).not.toEqual([]);
    expect(child.signalGroup("SIGCONT")).toBe(false);
    for (const end of [child.stdin, child.stdout, child.stderr]) end?.close();
  });

  test.each(["pipe", "terminal"])("is held back by a slow reader of its %s", async (kind) => {
    using user = new OsAccount("slow");
    const account = await accountOf(user.name);
    const pty = kind === "pipe" ? null : await openPty({ uid: account.uid, size: SIZE, modes: [] });
    const child = await spawnAs({
      ...{ helper, pty },
      contain: async () => {},
      spec: {
        ...{ user: account.name, uid: account.uid, gid: account.gid, drop: true, tty: pty !== null },
        ...{ home: "/", file: "/bin/sh", argv: ["sh", "-c", "exec yes"], env: { PATH: "/usr/bin:/bin" } },
      },
    });
    await child.stdout.read();
    await Bun.sleep(400);
    const written = Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${child.pid}/io`, "utf8"))?.[1]);
    child.signalGroup("SIGKILL");
    await child.exited;
    for (const end of [child.stdin, child.stdout, child.stderr, pty]) end?.close();
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(4_000_000);
  });
});
