/** `qf doctor`: a set-up that is as it should be, and every finding in one that really is not. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkAgent } from "../../src/agent/status/check-agent.ts";
import type { DoctorReport, Finding } from "../../src/wire/finding.ts";
import { freePort } from "../support/echo.ts";
import type { Lab, LabAgent, LabDevice, Person } from "../support/lab.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

const FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

describe("qf doctor", () => {
  let setUp: SetUp;
  let lab: Lab;
  let web: LabAgent;
  let ada: Person;
  let laptop: LabDevice;
  let home: string;
  let sshConfig: string;

  beforeAll(async () => {
    setUp = await openSetUp();
    ({ lab, person: ada, agent: web, device: laptop } = setUp);
    home = join(lab.root, "home");
    sshConfig = join(home, ".ssh/config");
    expect((await laptop.qf(["ssh-config", "install", "--mine"])).exitCode).toBe(0);
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  interface Asked {
    readonly device?: LabDevice;
    readonly stateDir?: string;
    readonly env?: Record<string, string>;
  }

  async function doctor({ device = laptop, stateDir = web.stateDir, env = {} }: Asked = {}) {
    const { exitCode, stdout } = await device.qf(["doctor", "--json", "--state-dir", stateDir], { env });
    const { healthy, findings }: DoctorReport = JSON.parse(stdout);
    expect(exitCode).toBe(healthy ? 0 : 1);
    for (const { status, fix } of findings) if (status === "problem") expect(fix).not.toBeNull();
    return findings;
  }

  const problems = (findings: readonly Finding[]) =>
    findings.flatMap(({ status, code }) => (status === "problem" ? [code] : []));
  const messages = (findings: readonly Finding[], code: string) =>
    findings.flatMap((finding) => (finding.code === code ? [`${finding.message}; ${finding.fix}`] : []));

  /** What it finds with a file replaced by `text`, which is then put back. */
  async function withFile(path: string, text: string, asked: Asked = {}): Promise<Finding[]> {
    const before = existsSync(path) ? readFileSync(path) : undefined;
    writeFileSync(path, text, { mode: 0o600 });
    try {
      return await doctor(asked);
    } finally {
      if (before === undefined) rmSync(path, { force: true });
      else writeFileSync(path, before);
    }
  }

  test("finds nothing wrong where nothing is, in one line each", async () => {
    const findings = await doctor();
    expect(problems(findings)).toEqual([]);
    const fine = findings.flatMap(({ status, code }) => (status === "ok" ? [code] : []));
    for (const code of [
      "client.folder",
      "management.reach",
      "clock.offset",
      "login.kept",
      "device.registered",
      "ssh.config",
      "agent.running",
    ]) {
      expect(fine).toContain(code);
    }
    const { exitCode, stdout, stderr } = await laptop.qf(["doctor", "--state-dir", web.stateDir]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.split("\n").filter((line) => line !== "")).toHaveLength(findings.length);
    expect(stdout).toMatch(/^ok {7}client {6}configuration in \S+\n/);
    expect(stdout).toMatch(/\nok {7}ssh {9}ssh reaches \*\.qf\.internal through qf\n/);
  });

  test("says of somebody who has no login that each connection signs in, and has nothing against it", async () => {
    const desk = lab.device(ada, "desk");
    await desk.login(0);
    const findings = await doctor({ device: desk });
    expect(findings.find(({ code }) => code === "login.kept")?.status).toBe("note");
    expect(problems(findings)).toEqual([]);
  });

  test("finds a folder that others may enter", async () => {
    chmodSync(laptop.configDir, 0o755);
    const findings = await doctor();
    chmodSync(laptop.configDir, 0o700);
    expect(problems(findings)).toEqual(["client.folder"]);
    expect(messages(findings, "client.folder")[0]).toContain(`chmod 700 ${laptop.configDir}`);
  });

  test("finds a configuration that does not read", async () => {
    const spoilt = lab.device(ada, "spoilt");
    chmodSync(spoilt.configDir, 0o700);
    writeFileSync(join(spoilt.configDir, "config.json"), "{", { mode: 0o600 });
    expect(problems(await doctor({ device: spoilt }))).toContain("client.damaged");
  });

  test("finds that no management server is known", async () => {
    const bare = lab.device(ada, "bare");
    expect(problems(await doctor({ device: bare, env: { QF_MANAGEMENT_URL: "" } }))).toEqual([
      "management.url",
    ]);
  });

  test("finds a device that is not registered, or not any more", async () => {
    const fresh = lab.device(ada, "fresh");
    expect(messages(await doctor({ device: fresh }), "device.registered")).toEqual([
      `this device is not registered at ${lab.url}; qf login`,
    ]);
    await fresh.login();
    expect(problems(await doctor({ device: fresh }))).toEqual([]);
    const { devices } = JSON.parse(readFileSync(join(fresh.configDir, "config.json"), "utf8"));
    await lab.api("DELETE", `/api/peers/${devices[lab.url].peerId}`);
    expect(messages(await doctor({ device: fresh }), "device.registered")).toEqual([
      "this device is not registered here; qf login",
    ]);
  });

  test("has nothing against a machine with an agent on which nobody has signed in", async () => {
    const device = lab.device(ada, "console");
    const findings = await doctor({ device, env: { QF_AGENT_STATE_DIR: web.stateDir } });
    expect(findings.find(({ code }) => code === "device.registered")?.status).toBe("note");
    expect(problems(findings)).toEqual([]);
  });

  test("finds a person who is blocked", async () => {
    const eve = await lab.createPerson("eve@example.com");
    const device = lab.device(eve, "eve");
    await device.login();
    await lab.setGroups(eve, [], { is_blocked: true });
    const findings = await doctor({ device });
    expect(messages(findings, "device.registered")[0]).toStartWith("User is blocked; ");
  });

  test.skipIf(!existsSync(FAKETIME))("finds a clock that is off", async () => {
    const env = { LD_PRELOAD: FAKETIME, FAKETIME: "+90s", FAKETIME_DONT_FAKE_MONOTONIC: "1" };
    const findings = await doctor({ env });
    expect(problems(findings)).toContain("clock.offset");
    expect(messages(findings, "clock.offset")[0]).toMatch(
      /^this clock is 9\d s ahead of management's; synchronise/,
    );
  });

  test("finds what weakens OpenSSH's way to peers", async () => {
    const text = `Host *\n  AddKeysToAgent yes\n  StrictHostKeyChecking no\n${readFileSync(sshConfig)}`;
    const findings = await withFile(sshConfig, text);
    expect(problems(findings)).toEqual(["ssh.weakened"]);
    const [weakened, noted] = messages(findings, "ssh.weakened");
    expect(weakened).toContain("sets AddKeysToAgent: connections to peers are refused");
    expect(noted).toContain("sets StrictHostKeyChecking: qf, not ssh, checks the host keys");
  });

  test("finds another way that goes before ours, or a configuration that ssh does not take", async () => {
    const other = await withFile(sshConfig, `Host *\n  ProxyCommand nc %h %p\n${readFileSync(sshConfig)}`);
    expect(problems(other)).toEqual(["ssh.config"]);
    expect(messages(other, "ssh.config")[0]).toContain("but ssh goes another way for *.qf.internal");
    const broken = await withFile(sshConfig, "NoSuchOption yes\n");
    expect(messages(broken, "ssh.config")[0]).toContain("Bad configuration option");
    const gone = await withFile(sshConfig, "");
    expect(messages(gone, "ssh.config")[0]).toContain("but ssh goes another way");
  });

  test("finds that the program ssh is told to start is gone", async () => {
    const dropIn = join(laptop.configDir, "ssh_config");
    const text = readFileSync(dropIn, "utf8").replaceAll(lab.executable, "/opt/gone/qf");
    const findings = await withFile(dropIn, text);
    expect(messages(findings, "ssh.executable")[0]).toContain("starts /opt/gone/qf, which is not there");
  });

  test("finds keys that a helper which was killed has left", async () => {
    const folder = join(laptop.configDir, "openssh");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const names = ["web1.qf.internal", "web1.qf.internal_once"].map((name) => join(folder, name));
    const hourAgo = Date.now() / 1000 - 3600;
    for (const name of names) {
      writeFileSync(name, "left", { mode: 0o600 });
      utimesSync(name, hourAgo, hourAgo);
    }
    const findings = await doctor();
    for (const name of names) rmSync(name);
    expect(problems(findings)).toEqual(["ssh.leftovers"]);
    expect(messages(findings, "ssh.leftovers")[0]).toContain(names[1] ?? "");
  });

  test("says where no agent was set up, and has nothing against it", async () => {
    const findings = await doctor({ stateDir: join(lab.root, "nothing") });
    expect(findings.find(({ code }) => code === "agent.none")?.status).toBe("note");
    expect(problems(findings)).toEqual([]);
  });

  test("finds an agent that does not run, what keeps it from starting, and what is left of it", async () => {
    const port = await freePort();
    const agent = await lab.startAgent("web2", { args: ["--listen", `127.0.0.1:${port}`] });
    const { stateDir } = agent;
    expect((await agent.down()).exitCode).toBe(0);
    const stopped = await doctor({ stateDir });
    expect(problems(stopped)).toEqual(["agent.stopped"]);
    const server = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
    const taken = await doctor({ stateDir });
    server.stop(true);
    expect(problems(taken)).toEqual(["agent.stopped", "agent.port"]);
    expect(messages(taken, "agent.port")[0]).toStartWith(`127.0.0.1:${port} (--listen) is in use`);
    await agent.up(["--listen", `127.0.0.1:${port}`]);
    await agent.kill();
    const killed = await doctor({ stateDir });
    expect(messages(killed, "agent.stopped")[0]).toContain("it was killed, and ");
    const set = join(stateDir, "map.json.damaged-1");
    expect(problems(await withFile(set, "", { stateDir }))).toContain("agent.damaged");
    expect(problems(await withFile(join(stateDir, "agent.json"), "{", { stateDir }))).toContain(
      "agent.damaged",
    );
    chmodSync(stateDir, 0o777);
    const open = await doctor({ stateDir });
    chmodSync(stateDir, 0o711);
    expect(messages(open, "agent.state")[0]).toEndWith(`chmod go-w ${stateDir}`);
  }, 60_000);

  test.skipIf(process.getuid?.() !== 0)("finds that PAM has rules for nobody", async () => {
    const options = { stateDir: web.stateDir, environment: {} };
    const nowhere = await checkAgent({ ...options, pamFolders: [join(lab.root, "nothing")] });
    expect(problems(nowhere)).toEqual(["machine.pam"]);
    const folder = join(lab.root, "pam.d");
    mkdirSync(folder);
    writeFileSync(join(folder, "qufabric"), "");
    expect(problems(await checkAgent({ ...options, pamFolders: [folder] }))).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)("finds a disk without room for evidence", async () => {
    const small = join(lab.root, "small");
    mkdirSync(small);
    const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small], {
      stderr: "ignore",
    });
    if (mount.exitCode !== 0) return void process.stderr.write("skipped: no tmpfs may be mounted here\n");
    try {
      mkdirSync(join(small, "public"));
      const agentFile = readFileSync(join(web.stateDir, "agent.json"));
      writeFileSync(join(small, "agent.json"), agentFile, { mode: 0o600 });
      expect(problems(await doctor({ stateDir: small }))).toContain("machine.disk");
    } finally {
      Bun.spawnSync(["umount", small]);
    }
  });

  test("finds management away, and what the agent says of that", async () => {
    await lab.management?.stop();
    await lab.until("the agent to notice", async () => (await web.status()).problems.length > 0);
    const findings = await doctor();
    await lab.serveManagement();
    await lab.until("the link", async () => (await web.status()).management.connected);
    expect(problems(findings)).toEqual(["management.reach", "agent.problem"]);
    expect(messages(findings, "management.reach")[0]).toContain("connection refused");
    expect(messages(findings, "agent.problem")[0]).toContain("check the network to ");
    expect(problems(await doctor())).toEqual([]);
  }, 60_000);
});
