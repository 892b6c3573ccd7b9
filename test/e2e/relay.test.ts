/** A machine that nobody can reach directly, reached through the relay. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Lab, type LabAgent, type LabDevice, openLab, type Person } from "../support/lab.ts";
import { isRoot, OsAccount } from "../support/os-accounts.ts";

const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

describe.skipIf(!isRoot)("a machine without an open port", () => {
  let lab: Lab;
  let deploy: OsAccount;
  let agent: LabAgent;
  let devs: string;
  let servers: string;
  let ada: Person;
  let laptop: LabDevice;
  let at: string;

  beforeAll(async () => {
    deploy = new OsAccount("deploy");
    at = `${deploy.name}@hidden1`;
    lab = await openLab();
    devs = await lab.createGroup("Developers");
    servers = await lab.createGroup("Servers");
    ada = await lab.createPerson("ada@example.com", [devs]);
    await lab.createPolicy("devs", [devs], [servers], { authorized_groups: { [devs]: [deploy.name] } });
    agent = await lab.startAgent("hidden1", { groups: [servers], args: ["--listen", "none"] });
    laptop = lab.device(ada, "laptop");
    await laptop.qf(["login", "--ssh-jwt-cache-ttl", "600"]);
  }, 120_000);

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
    deploy?.[Symbol.dispose]();
  });

  test("runs commands, and qf ssh -v says that it was the relay and why", async () => {
    const result = await laptop.ssh(["-v", at, "id -un; exit 3"]);
    expect(result).toMatchObject({ exitCode: 3, stdout: `${deploy.name}\n` });
    expect(result.stderr).toContain("no direct address of the peer is known");
    expect(result.stderr).toMatch(/connected through the relay at \S+ after \d+ ms/);
  });

  test("takes and gives 64 MB unharmed", async () => {
    const bytes = randomBytes(64 * 1024 * 1024);
    const up = await laptop.ssh([at, "sha256sum"], { stdin: bytes });
    expect(up.stdout.slice(0, 64)).toBe(sha256(bytes));
    const file = join(deploy.home, "big");
    writeFileSync(file, bytes);
    const child = laptop.spawn(["ssh", at, `cat ${file}`]);
    const down = new Uint8Array(await new Response(child.stdout).arrayBuffer());
    expect(await child.exited).toBe(0);
    expect(sha256(down)).toBe(sha256(bytes));
  }, 60_000);

  test("status -d says which way a session came, and that the relay is connected", async () => {
    const child = laptop.spawn(["ssh", at, "sleep 30"]);
    const session = await lab.until("the session", async () => (await agent.status()).sshServer.sessions[0]);
    expect(session.path).toBe("relay");
    const { stdout } = await lab.qf(["agent", "status", "-d", "--state-dir", agent.stateDir]);
    expect(stdout).toMatch(/from \S+ \(relay\): sleep/);
    expect(stdout).toMatch(/Relay: +connected, 1 stream\n/);
    expect(stdout).toContain("through the relay only");
    expect((await agent.status()).peers.some(({ path }) => path === "relay")).toBe(true);
    child.kill("SIGKILL");
    await child.exited;
    await lab.until("the end", async () => (await agent.status()).sshServer.sessions.length === 0);
    expect((await agent.status()).relay).toEqual({ connected: true, streams: 0 });
  });
});
