/** The process that forks monitors: what a monitor of its has, and what becomes of both. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, copyFileSync, readFileSync, renameSync } from "node:fs";
import { type ForkServer, openForkServer } from "../../../src/agent/os/fork-server.ts";
import { encodeEndOrder } from "../../../src/agent/os/helper-frames.ts";
import { type MonitorProcess, openForkedProcess } from "../../../src/agent/os/monitor-process.ts";
import { hasPam } from "../../../src/agent/os/pam.ts";
import { helperPath, startHelper, unpackHelper } from "../../../src/agent/os/session-helper.ts";
import { openStreamSocket, sendWithDescriptors } from "../../../src/base/descriptors.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { hasPamRules, PamRules } from "../../support/pam-rules.ts";
import { until } from "../../support/until.ts";

const path = helperPath() ?? "";
const SERVICE = "qufabric";
const PAM_SUCCESS = 0;

function statOf(pid: number): { readonly parent: number; readonly session: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(parent), session: Number(session) };
  } catch {
    return null;
  }
}

/** Where the C library of a process is. */
function layoutOf(pid: number): string {
  return /^(\w+)-.*libc[.-]/m.exec(readFileSync(`/proc/${pid}/maps`, "utf8"))?.[1] ?? "";
}

async function letGo(monitor: MonitorProcess): Promise<void> {
  monitor.finish();
  await monitor.exited;
  monitor.release();
}

/** PAM's code for an account, by a monitor that `server` forks for it. */
async function ask(server: ForkServer, user: string): Promise<number | null> {
  const monitor = await openForkedProcess(server);
  await monitor.send({ kind: "account", service: SERVICE, user, remoteHost: "192.0.2.7" }, []);
  const answer = await monitor.next();
  await letGo(monitor);
  return answer?.kind === "account" ? answer.code : null;
}

describe("a fork server", () => {
  test("forks monitors that are its own, each in a session of its own", async () => {
    const server = openForkServer(path, SERVICE);
    const monitors = await Promise.all([openForkedProcess(server), openForkedProcess(server)]);
    for (const { pid } of monitors) {
      expect(statOf(pid)?.parent).toBe(server.pid);
      await until("a session of its own", () => statOf(pid)?.session === pid);
    }
    expect(new Set(monitors.map(({ pid }) => pid)).size).toBe(2);
    await Promise.all(monitors.map(letGo));
    server.close();
  });

  test("goes with the agent's end of its socket, and its monitors stay until theirs goes", async () => {
    const server = openForkServer(path, SERVICE);
    const monitor = await openForkedProcess(server);
    server.close();
    await until("the server is gone", () => statOf(server.pid) === null);
    expect(server.isLost).toBe(true);
    expect(statOf(monitor.pid)).not.toBeNull();
    expect(openForkedProcess(server)).rejects.toThrow();
    monitor.finish();
    await until("the monitor is gone", () => statOf(monitor.pid) === null);
    monitor.release();
    await monitor.exited;
  });

  test("is lost when it dies, and its monitors can still be killed", async () => {
    const server = openForkServer(path, SERVICE);
    const monitor = await openForkedProcess(server);
    process.kill(server.pid, "SIGKILL");
    await until("the server is lost", () => server.isLost);
    monitor.kill();
    await until("the monitor is gone", () => statOf(monitor.pid) === null);
    monitor.release();
    await monitor.exited;
  });

  test("cannot be had where nothing answers", async () => {
    const server = openForkServer("/bin/false", SERVICE);
    await expect(openForkedProcess(server)).rejects.toThrow();
    expect(server.isLost).toBe(true);
  });

  test("kills a monitor by order, and nothing that is not its own", async () => {
    const stranger = Bun.spawn(["sleep", "300"], { detached: true });
    const [ownFd, childFd] = openStreamSocket();
    const child = startHelper(path, "server", ["ignore", "ignore", "ignore", childFd], [SERVICE, ""]);
    closeSync(childFd);
    sendWithDescriptors(ownFd, encodeEndOrder(stranger.pid), []);
    closeSync(ownFd);
    expect(await child.exited).toBe(0);
    stranger.kill("SIGTERM");
    await stranger.exited;
    expect(stranger.signalCode).toBe("SIGTERM");
  });

  test("starts anew when a monitor has crashed, and not when one has ended or was killed", async () => {
    // From memory, as the executable has it.
    const server = openForkServer(unpackHelper(readFileSync(path).toString("base64")) ?? "", SERVICE);
    const first = await openForkedProcess(server);
    const layout = layoutOf(first.pid);
    await letGo(await openForkedProcess(server));
    const killed = await openForkedProcess(server);
    killed.kill();
    await killed.exited;
    killed.release();
    const second = await openForkedProcess(server);
    expect(layoutOf(second.pid)).toBe(layout);
    process.kill(second.pid, "SIGSEGV");
    await second.exited;
    second.release();
    const third = await openForkedProcess(server);
    expect(layoutOf(third.pid)).not.toBe(layout);
    expect(statOf(third.pid)?.parent).toBe(server.pid);
    // Those of before are still its own.
    await letGo(first);
    await letGo(third);
    server.close();
  });
});

/** Says yes where it runs with a thread that its loading has begun. */
const THREADED = `
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
static void *rest(void *data) { for (;;) pause(); return data; }
__attribute__((constructor)) static void begin(void) { pthread_t id; pthread_create(&id, 0, rest, 0); }
int pam_sm_acct_mgmt(void *pam, int flags, int count, const char **words) {
  struct stat facts;
  (void)pam; (void)flags; (void)count; (void)words;
  return stat("/proc/self/task", &facts) == 0 && facts.st_nlink > 3 ? 0 : 4;
}
`;

describe.skipIf(!isRoot || !hasPam() || !hasPamRules)("a fork server with PAM", () => {
  let account: OsAccount;
  let rules: PamRules;
  beforeAll(() => {
    account = new OsAccount("fork");
    rules = new PamRules();
  });
  afterAll(() => {
    rules[Symbol.dispose]();
    account[Symbol.dispose]();
  });

  const modules = [
    ...new Bun.Glob("*/security/pam_{permit,deny}.so").scanSync({ cwd: "/usr/lib", absolute: true }),
  ];
  const place = (name: string): void => {
    copyFileSync(modules.find((found) => found.endsWith(name)) ?? "", `${rules.folder}/fresh.so`);
    renameSync(`${rules.folder}/fresh.so`, `${rules.folder}/module.so`);
  };

  test("has its modules loaded before the first monitor", async () => {
    rules.set(account.name, ["account required pam_debug.so"]);
    const server = openForkServer(path, SERVICE);
    const monitor = await openForkedProcess(server);
    expect(readFileSync(`/proc/${monitor.pid}/maps`, "utf8")).toContain("pam_debug.so");
    await letGo(monitor);
    server.close();
  });

  test("has the next monitor use a module that was replaced on disk, and lets the ones before live", async () => {
    place("pam_permit.so");
    rules.set(account.name, ["account required %F/module.so"]);
    const server = openForkServer(path, SERVICE);
    const before = await openForkedProcess(server);
    expect(await ask(server, account.name)).toBe(PAM_SUCCESS);
    place("pam_deny.so");
    expect(await ask(server, account.name)).not.toBe(PAM_SUCCESS);
    place("pam_permit.so");
    expect(await ask(server, account.name)).toBe(PAM_SUCCESS);
    expect(statOf(before.pid)?.parent).toBe(server.pid);
    await letGo(before);
    server.close();
  });

  test("has the next monitor follow rules that have changed", async () => {
    rules.set(account.name, ["account required pam_permit.so"]);
    const server = openForkServer(path, SERVICE);
    expect(await ask(server, account.name)).toBe(PAM_SUCCESS);
    rules.set(account.name, ["account required pam_deny.so"]);
    expect(await ask(server, account.name)).not.toBe(PAM_SUCCESS);
    server.close();
  });

  test("loads no module that begins threads, which its monitors then have", async () => {
    const source = rules.write("threaded.c", THREADED);
    const built = Bun.spawnSync(["cc", "-shared", "-fPIC", "-o", `${rules.folder}/threaded.so`, source]);
    expect(built.exitCode).toBe(0);
    rules.set(account.name, ["account required %F/threaded.so"]);
    const server = openForkServer(path, SERVICE);
    expect(await ask(server, account.name)).toBe(PAM_SUCCESS);
    server.close();
  });
});
