/** PAM through a session's monitor, with the modules of this system and rules of the test's own. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ForkServer, openForkServer } from "../../../src/agent/os/fork-server.ts";
import {
  Monitor,
  MonitorError,
  mergeEnvironment,
  openForkedMonitor,
  openMonitor,
} from "../../../src/agent/os/monitor.ts";
import type { MonitorAnswer } from "../../../src/agent/os/monitor-orders.ts";
import { hasPam, pamService, ruledService } from "../../../src/agent/os/pam.ts";
import type { FdReader } from "../../../src/agent/os/pipes.ts";
import { helperPath } from "../../../src/agent/os/session-helper.ts";
import { type SpawnRequest, spawnAs } from "../../../src/agent/os/spawn.ts";
import { lookUpAccount } from "../../../src/agent/os/users.ts";
import { AccountGate } from "../../../src/agent/ssh-server/pam-account.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { hasPamRules, PamRules } from "../../support/pam-rules.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const REMOTE = "192.0.2.7";
const LOG =
  '#!/bin/sh\necho "$PAM_TYPE $PAM_SERVICE $PAM_USER $PAM_RHOST $PAM_TTY" >>"$(dirname "$0")/log"\n';

async function readAll(reader: FdReader | null): Promise<string> {
  const parts: Uint8Array[] = [];
  for (let data = await reader?.read(); data; data = await reader?.read()) parts.push(data);
  return Buffer.concat(parts).toString();
}

let open: () => Promise<Monitor> = () => openMonitor();

async function runIn(
  user: string,
  command: string,
  env: Record<string, string> = {},
  contain: SpawnRequest["contain"] = async () => {},
) {
  const account = await lookUpAccount(user, 0);
  if (account === null) throw new Error(`no account ${user}`);
  const monitor = await open();
  const child = await spawnAs({
    pty: null,
    contain,
    launch: monitor.launchFor({ remoteHost: REMOTE, terminal: null, isInteractive: false }),
    spec: {
      ...{ user, uid: account.uid, gid: account.gid, drop: true, tty: false, home: account.home },
      ...{ file: "/bin/sh", argv: ["sh", "-c", command], env: { PATH: "/usr/bin:/bin", ...env } },
    },
  });
  const [stdout, stderr] = await Promise.all([readAll(child.stdout), readAll(child.stderr)]);
  return { stdout, stderr, ...(await child.exited) };
}

let server: ForkServer | undefined;

/** By the fork server; by the session helper alone; and by this executable where that cannot run. */
const KINDS = [
  [
    "the fork server",
    () => {
      server ??= openForkServer(helperPath() ?? "");
      return openForkedMonitor(server);
    },
  ],
  ["the session helper", () => openMonitor()],
  ["this executable", () => openMonitor(null)],
] as const;

afterAll(() => server?.close());

test("the session helper is there, so that both kinds of monitors are tested", () => {
  expect(helperPath()).not.toBeNull();
});

/** A monitor that answers once `answer` is settled, and whose end is heard when `end` is called. */
function aMonitor(answer: Promise<MonitorAnswer | null>) {
  const { promise: exited, resolve: end } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<null>();
  const monitor = new Monitor({
    ...{ pid: 0, isHelper: true, exited, send: async () => {}, finish() {}, kill: end },
    next: () => Promise.race([answer, released]),
    release: () => release(null),
  });
  return { monitor, end };
}

test("an answer counts where the end of its monitor is heard first", async () => {
  const { promise, resolve } = Promise.withResolvers<MonitorAnswer>();
  const { monitor, end } = aMonitor(promise);
  const asked = monitor.checkAccount("ada", REMOTE);
  end();
  setImmediate(() => resolve({ kind: "account", code: 13, text: "closed for repairs" }));
  expect(await asked).toMatchObject({ code: 13, text: "closed for repairs" });
});

test("a monitor that has ended without an answer has refused", async () => {
  const { monitor, end } = aMonitor(new Promise(() => {}));
  const asked = monitor.checkAccount("ada", REMOTE);
  end();
  expect(await asked.catch((cause: unknown) => cause)).toBeInstanceOf(MonitorError);
});

describe.skipIf(!isRoot || !hasPam() || !hasPamRules).each(KINDS)("PAM by %s", (kind, opener) => {
  let account: OsAccount;
  let rules: PamRules;
  const failures: unknown[] = [];
  beforeAll(() => {
    open = opener;
    account = new OsAccount("pam");
    rules = new PamRules();
    rules.write("log.sh", LOG);
  });
  afterAll(() => {
    rules[Symbol.dispose]();
    account[Symbol.dispose]();
  });

  const check = async (user = account.name) => {
    const gate = new AccountGate({
      isPrivileged: true,
      remoteHost: REMOTE,
      openMonitor: open,
      onFailure: (cause) => failures.push(cause),
    });
    try {
      return await gate.check(user);
    } finally {
      gate.close();
    }
  };

  test("lets an account in that no module refuses", async () => {
    rules.set(account.name, ["account required pam_exec.so %F/log.sh"]);
    expect(await check()).toEqual({ reason: null, text: "" });
    expect(rules.read("log")).toBe(`account qufabric ${account.name} ${REMOTE} ssh\n`);
  });

  test("refuses with what a module says, and nothing that drives a terminal", async () => {
    rules.write("notice", "closed for repairs\x1b[2J\nask ada\n");
    rules.set(account.name, ["account optional pam_echo.so file=%F/notice", "account required pam_deny.so"]);
    const { reason, text } = await check();
    // By the module, and not because the monitor failed.
    expect({ reason, failures }).toEqual({ reason: "account_refused", failures: [] });
    expect(text).toContain("closed for repairs");
    expect(text).toContain("ask ada");
    expect(text).not.toContain("\x1b");
  });

  test("tells an account that has expired, and one whose password has to be changed", async () => {
    using old = new OsAccount("old", ["--expiredate", "2001-01-01"]);
    rules.set(old.name, ["account required pam_unix.so"]);
    expect(await check(old.name)).toMatchObject({
      reason: "account_expired",
      text: expect.stringContaining("expired"),
    });
    old.change("chage", "-E", "-1").change("chage", "-d", "0");
    expect((await check(old.name)).reason).toBe("account_refused");
  });

  test("refuses nobody's account", async () => {
    expect((await check("qf-nobody-at-all")).reason).toBe("account_refused");
  });

  test("refuses when a module ends the process that asks it, and the agent lives on", async () => {
    rules.write("kill.sh", "#!/bin/sh\nkill -SEGV $PPID\nsleep 1\n");
    rules.set(account.name, ["account required pam_exec.so %F/kill.sh"]);
    failures.length = 0;
    expect(await check()).toEqual({ reason: "account_refused", text: "" });
    expect(failures).toHaveLength(1);
  });

  // Ten seconds. The fork server's are killed as in `fork-server.test.ts`.
  if (kind !== "the fork server") {
    test("refuses when a module hangs", async () => {
      rules.set(account.name, ["account required pam_exec.so /bin/sleep 25"]);
      const startedMs = performance.now();
      expect((await check()).reason).toBe("account_refused");
      expect(performance.now() - startedMs).toBeLessThan(14_000);
    }, 20_000);
  }

  test("is not misled by a module that prints", async () => {
    rules.write("print.sh", '#!/bin/sh\necho \'{"kind":"account","code":0,"text":""}\'\nexit 1\n');
    rules.set(account.name, ["account required pam_exec.so %F/print.sh"]);
    expect((await check()).reason).toBe("account_refused");
  });

  test("opens a session before the program and closes it after", async () => {
    rules.write("log", "");
    rules.set(account.name, ["session required pam_exec.so %F/log.sh"]);
    const { stdout, status } = await runIn(account.name, `cat ${rules.folder}/log; id -un; exit 7`);
    const line = `qufabric ${account.name} ${REMOTE} ssh`;
    expect({ stdout, status }).toEqual({ stdout: `open_session ${line}\n${account.name}\n`, status: 7 });
    await until(
      "the session closed",
      () => rules.read("log") === `open_session ${line}\nclose_session ${line}\n`,
    );
  });

  test("has the program as the user only, with three descriptors, default signals and its own session", async () => {
    rules.set(account.name, []);
    const status = "grep -E '^(Uid|Gid|Groups|SigIgn|SigBlk|CapEff):' /proc/self/status | tr '\\t' ' '";
    const { stdout } = await runIn(
      account.name,
      `ls -1 /proc/$$/fd; ${status}; ps -o sid= -p $$; echo $$; id -u; id -g`,
    );
    const [fd0, fd1, fd2, uid, gid, groups, ...rest] = stdout.split("\n").map((line) => line.trim());
    const [blocked, ignored, effective, session, pid, userId, groupId] = rest;
    expect([fd0, fd1, fd2]).toEqual(["0", "1", "2"]);
    expect(uid).toBe(`Uid: ${Array(4).fill(userId).join(" ")}`);
    expect(gid).toBe(`Gid: ${Array(4).fill(groupId).join(" ")}`);
    expect(groups).toBe(`Groups: ${groupId}`);
    for (const bits of [blocked, ignored, effective]) expect(bits).toMatch(/: 0{16}$/);
    expect(session).toBe(pid as string);
  });

  test("closes the session of a program that was killed", async () => {
    rules.write("log", "");
    rules.set(account.name, ["session required pam_exec.so %F/log.sh"]);
    expect(await runIn(account.name, "kill -KILL $$")).toMatchObject({ status: null, signal: "SIGKILL" });
    await until("the session closed", () => rules.read("log").includes("close_session"));
  });

  test("tells of the end before modules have closed the session, and closes it all the same", async () => {
    rules.write("log", "");
    const wait = "for i in $(seq 500); do [ -e $(dirname $0)/go ] && break; sleep 0.02; done";
    rules.write("slow.sh", `#!/bin/sh\n[ $PAM_TYPE = close_session ] || exit 0\n${wait}\n`);
    rules.set(account.name, [
      "session required pam_exec.so %F/slow.sh",
      "session required pam_exec.so %F/log.sh",
    ]);
    expect(await runIn(account.name, "exit 3")).toMatchObject({ status: 3 });
    expect(rules.read("log")).not.toContain("close_session");
    rules.write("go", "");
    await until("the session closed", () => rules.read("log").includes("close_session"));
  });

  test("runs nothing when a module wants no session", async () => {
    rules.write("no.sh", "#!/bin/sh\nexit 1\n");
    rules.set(account.name, ["session required pam_exec.so %F/no.sh"]);
    expect(runIn(account.name, `echo ran >${rules.folder}/ran`)).rejects.toThrow("pam_open_session");
    expect(rules.read("ran")).toBe("");
  });

  test("runs nothing that cannot be contained, and closes its session", async () => {
    rules.write("log", "");
    rules.set(account.name, ["session required pam_exec.so %F/log.sh"]);
    const contain = async (): Promise<void> => {
      throw new Error("it cannot be held");
    };
    const run = runIn(account.name, `echo ran >${rules.folder}/ran`, {}, contain);
    await expect(run).rejects.toThrow();
    await until("the session closed", () => rules.read("log").includes("close_session"));
    expect(rules.read("ran")).toBe("");
  });

  test("gives its environment, but for what decides what runs", async () => {
    rules.write(
      "env",
      "GREETING=hello\nLD_PRELOAD=/x\nNODE_OPTIONS=--x\nHOME=/elsewhere\nPATH=/opt/bin:/bin\n",
    );
    rules.set(account.name, ["session required pam_env.so readenv=1 envfile=%F/env conffile=/dev/null"]);
    const { stdout } = await runIn(account.name, "/usr/bin/env", { HOME: account.home });
    expect(stdout).toContain("GREETING=hello\n");
    expect(stdout).toContain("PATH=/opt/bin:/bin\n");
    expect(stdout).toContain(`HOME=${account.home}\n`);
    expect(stdout).not.toMatch(/LD_PRELOAD|NODE_OPTIONS/);
  });

  test("sets limits, also ones that this runtime could not live within", async () => {
    rules.write("limits", `${account.name} - nofile 77\n${account.name} soft as 300000\n`);
    // The last module of the session: the one of sshd's rules would take it back.
    rules.set(account.name, ["session [success=done default=bad] pam_limits.so conf=%F/limits"]);
    const { stdout } = await runIn(account.name, "ulimit -n; ulimit -v; id -Gn; umask");
    expect(stdout).toBe(`77\n300000\n${account.name}\n0022\n`);
  });

  test("has its mask for new files in the session", async () => {
    rules.set(account.name, ["session required pam_umask.so umask=0077"]);
    expect((await runIn(account.name, "umask")).stdout).toBe("0077\n");
  });
});

test("pamService is ours where an administrator has written rules for it, else sshd's", () => {
  const folder = tempFolder();
  expect(pamService([folder])).toBe("sshd");
  writeFileSync(join(folder, "qufabric"), "");
  expect(pamService([folder])).toBe("qufabric");
});

test.each([
  ["Debian, which takes the common ones", "# pam_deny.so or\n@include common-account\n", "other"],
  ["others, which deny", "auth required pam_deny.so\naccount  required  pam_deny.so\n", null],
])("without rules of ours those of %s apply", (_whose, text, want) => {
  const folders = [tempFolder(), tempFolder()] as const;
  expect(ruledService(folders)).toBeNull();
  writeFileSync(join(folders[1], "other"), text);
  expect(ruledService(folders)).toBe(want);
  writeFileSync(join(folders[1], "sshd"), "");
  expect(ruledService(folders)).toBe("sshd");
});

test.each([
  ["takes what is new", { A: "1" }, { LANG: "C" }, { A: "1", LANG: "C" }],
  ["has the last word on PATH", { PATH: "/a" }, { PATH: "/b" }, { PATH: "/b" }],
  ["does not move who and where", { USER: "ada", SSH_TTY: "/dev/pts/1" }, { USER: "x", SSH_TTY: "x" }, null],
  ["loads nothing", {}, { LD_PRELOAD: "x", BUN_OPTIONS: "x", NODE_OPTIONS: "x" }, null],
] as const)("mergeEnvironment of PAM %s", (_name, session, pam, wanted) => {
  const merged = mergeEnvironment(
    session,
    Object.entries(pam).map(([name, value]) => `${name}=${value}`),
  );
  expect<Record<string, string>>(merged).toEqual({ ...(wanted ?? session) });
});
