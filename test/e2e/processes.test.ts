/** /proc of all that runs because somebody connected: whose it is, and what it tells. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import type { Lab, LabAgent, LabDevice, Person } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

interface Seen {
  readonly pid: number;
  readonly parent: number;
  readonly status: string;
  /** Command line and environment. */
  readonly told: string;
}

describe.skipIf(!isRoot)("while people work", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let uid = 0;
  let agent: LabAgent;
  let agentPid = 0;
  let ada: Person;
  let device: LabDevice;
  const clients: Bun.Subprocess[] = [];
  /** What was running when everything did. */
  let seen: Seen[] = [];

  beforeAll(async () => {
    const allowed = ["sftp", "local-port-forwarding", "remote-port-forwarding"];
    const args = allowed.map((name) => `--enable-ssh-${name}`);
    setUp = await openSetUp({
      accounts: [["proc", "--groups", "users"]],
      policies: [{ rule: { ssh: { remote_forward: ["127.0.0.1:*"], agent_forwarding: true } } }],
      machines: { web1: args },
    });
    ({ lab, account, person: ada, agent, device } = setUp);
    uid = Number(Bun.spawnSync(["id", "-u", account.name]).stdout.toString());
    agentPid = (await agent.status()).pid;
    await work();
    seen = look();
  }, 120_000);

  afterAll(async () => {
    for (const client of clients) client.kill();
    await setUp?.[Symbol.asyncDispose]();
  });

  /** A shell, a command, SFTP and every kind of forward, by OpenSSH and by `qf ssh`; all of them stay. */
  async function work(): Promise<void> {
    const config = join(lab.root, "openssh-config");
    const { executable } = lab;
    const { configDir } = device;
    writeFileSync(config, renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false }));
    const target = `${account.name}@web1`;
    const service = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const stock = ["ssh", "-F", config];
    const own = [executable, "ssh"];
    const host = `${target}.qf.internal`;
    const forwards = ["-R", "0:127.0.0.1:1", "-L", `127.0.0.1:0:127.0.0.1:${service.port}`];
    for (const words of [
      [...stock, "-tt", host],
      [...stock, host, "exec sleep 1001"],
      [...stock, "-s", host, "sftp"],
      [...stock, "-W", `127.0.0.1:${service.port}`, host],
      [...own, "-tt", target],
      [...own, target, "exec sleep 1002"],
      [...own, "-N", ...forwards.slice(0, 2), target],
      [...own, "-W", `127.0.0.1:${service.port}`, target],
    ]) {
      const child = Bun.spawn(words, {
        env: lab.env(device.env({ QF_TOKEN: "" })),
        cwd: lab.root,
        stdio: ["pipe", "ignore", "ignore"],
      });
      clients.push(child);
    }
    await lab.until("everything to run", async () => {
      const { sessions } = (await agent.status()).sshServer;
      const mine = look().filter(({ status }) => idsOf(status, "Uid")[0] === uid);
      const told = mine.map(({ told }) => told).join("\n");
      return sessions.length >= 5 && /1001/.test(told) && /1002/.test(told) && mine.length >= 8;
    });
  }

  /** All that the agent has started, what those started, and the clients with theirs. */
  function look(): Seen[] {
    const all = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const read = (file: string) => readFileSync(`/proc/${name}/${file}`, "utf8");
          const status = read("status");
          if (/^State:\s+[ZX]/m.test(status)) return [];
          const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
          const told = `${read("cmdline")}\0${read("environ")}`.replaceAll("\0", "\n");
          return [{ pid: Number(name), parent, status, told }];
        } catch {
          return [];
        }
      });
    const wanted = new Set([agentPid, ...clients.map(({ pid }) => pid)]);
    for (let size = -1; size !== wanted.size; ) {
      size = wanted.size;
      for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid);
    }
    return all.filter(({ pid, status }) => wanted.has(pid) || idsOf(status, "Uid").includes(uid));
  }

  test("each process of a session has the user's ids and groups, all of them, and no others", () => {
    const mine = seen.filter(({ status }) => idsOf(status, "Uid")[0] === uid);
    const groups = Bun.spawnSync(["id", "-G", account.name]).stdout.toString().trim().split(" ").map(Number);
    expect(mine.length).toBeGreaterThanOrEqual(8);
    for (const { status } of mine) {
      expect(idsOf(status, "Uid")).toEqual(Array(4).fill(uid));
      expect(idsOf(status, "Gid")).toEqual(Array(4).fill(groups[0]));
      expect(idsOf(status, "Groups").sort()).toEqual([...groups].sort());
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(status).toMatch(/^CapPrm:\t0+$/m);
    }
  });

  test("no command line and no environment holds a secret", () => {
    const secrets = secretsIn(device.configDir, agent.stateDir, lab.dataDir);
    secrets.push(lab.token);
    expect(secrets.length).toBeGreaterThan(10);
    for (const { told } of seen) {
      // The password is there for the browser that these tests make up, and nowhere else.
      const clean = told.replace(/^QF_TEST_.*$/gm, "");
      expect([...secrets, ada.password].filter((secret) => clean.includes(secret))).toEqual([]);
      expect(told).not.toMatch(/eyJ[A-Za-z0-9_-]{20,}|PRIVATE KEY/);
    }
  });

  test("what is the user's was given nothing of the agent's environment", () => {
    for (const { status, told } of seen) {
      if (idsOf(status, "Uid")[0] !== uid) continue;
      expect(told.replace(/^QF_CONNECTION_MARK=[0-9a-f]{64}$/m, "")).not.toMatch(/^(?:QF|NODE|LD)_/m);
      expect(told).not.toContain(lab.root);
    }
  });
});

/** Numbers of a line of /proc/PID/status. */
function idsOf(status: string, name: string): number[] {
  const line = new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1] ?? "";
  return line.split(/\s+/).filter(Boolean).map(Number);
}

/** Every long run of base64 or hex in the files below `folders`: keys, tokens, digests. */
function secretsIn(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.log$|\.sqlite|\.db/.test(entry.name))
      .flatMap((entry) => {
        const text = readFileSync(join(entry.parentPath, entry.name), "latin1");
        return text.match(/[A-Za-z0-9+/_-]{43,}={0,2}/g) ?? [];
      }),
  );
}
