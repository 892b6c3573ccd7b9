/** Two hosts behind two NATs: reached through the relay, then directly as soon as there is a way. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import { executablePath } from "../support/executable.ts";
import { Lab, type LabAgent, type LabDevice } from "../support/lab.ts";
import { hasNamespaces, type NatLab, openNatLab } from "../support/nat-lab.ts";
import { OsAccount } from "../support/os-accounts.ts";

const isPossible = hasNamespaces();
if (!isPossible) process.stderr.write("skipped: no network namespaces with NAT on this machine\n");
const COPIES = 16;

describe.skipIf(!isPossible && process.env.CI !== "true")("two hosts, each behind a NAT", () => {
  let nat: NatLab;
  let deploy: OsAccount;
  let root: string;
  let executable: string;
  let lab: Lab;
  let remote: Lab;
  let agent: LabAgent;
  let laptop: LabDevice;
  let at: string;

  beforeAll(async () => {
    nat = openNatLab();
    deploy = new OsAccount("deploy");
    at = `${deploy.name}@behind`;
    root = mkdtempSync(join(tmpdir(), "qf-nat-"));
    executable = await executablePath();
    const url = `http://127.0.0.1:${nat.port}`;
    lab = new Lab(nat.wrapper("management", executable, root), join(root, "lab"));
    await lab.initManagement();
    lab.url = `http://0.0.0.0:${nat.port}`;
    await lab.serveManagement(["--behind-proxy", "--public-url", url]);
    // What the test itself asks it asks from outside.
    lab.url = `http://${nat.management}:${nat.port}`;
    const devs = await lab.createGroup("Developers");
    const servers = await lab.createGroup("Servers");
    const ada = await lab.createPerson("ada@example.com", [devs]);
    await lab.createPolicy("devs", [devs], [servers], {
      authorized_groups: { [devs]: [deploy.name] },
    });
    const setupKey = await lab.createSetupKey([servers]);
    const { accountId, ownerId, token } = lab;
    const world = { url, accountId, ownerId, token };
    remote = Object.assign(new Lab(nat.wrapper("hostb", executable, root), lab.root), world);
    const args = ["--listen", "0.0.0.0:22022", "--enable-ssh-local-port-forwarding", "--enable-ssh-sftp"];
    agent = await remote.startAgent("behind", { setupKey, args });
    const local = Object.assign(new Lab(nat.wrapper("hosta", executable, root), lab.root), world);
    laptop = local.device(ada, "laptop");
    await laptop.qf(["login", "--ssh-jwt-cache-ttl", "600"]);
  }, 120_000);

  afterAll(async () => {
    await remote?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
    deploy?.[Symbol.dispose]();
    nat?.close();
    if (root !== undefined) rmSync(root, { recursive: true, force: true });
  });

  test("run commands through the relay, although the machine has told its address", async () => {
    const result = await laptop.ssh(["-v", at, "id -un"]);
    expect(result).toMatchObject({ exitCode: 0, stdout: `${deploy.name}\n` });
    // Its own, and the one that management sees: nobody answers at either.
    expect(result.stderr).toContain(`at 10.2.0.2:22022 ${nat.natB}:22022`);
    expect(result.stderr).toContain("connected through the relay");
  });

  test("carry 1 GB unharmed", async () => {
    const piece = randomBytes(64 * 1024 * 1024);
    const file = join(deploy.home, "piece");
    writeFileSync(file, piece);
    const wanted = createHash("sha256");
    for (let i = 0; i < COPIES; i++) wanted.update(piece);
    const got = createHash("sha256");
    const command = `for i in $(seq ${COPIES}); do cat ${file}; done`;
    const child = laptop.spawn(["ssh", at, command]);
    for await (const chunk of child.stdout) got.update(chunk);
    expect(await child.exited).toBe(0);
    expect(got.digest("hex")).toBe(wanted.digest("hex"));
  }, 180_000);

  test("take 64 MB the other way", async () => {
    const bytes = randomBytes(64 * 1024 * 1024);
    const { stdout } = await laptop.ssh([at, "sha256sum"], { stdin: bytes });
    expect(stdout.slice(0, 64)).toBe(createHash("sha256").update(bytes).digest("hex"));
  }, 60_000);

  test("take files by OpenSSH's own scp", async () => {
    const config = join(root, "config");
    const { configDir } = laptop;
    writeFileSync(config, renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false }));
    const file = join(root, "sent");
    const bytes = randomBytes(8 * 1024 * 1024);
    writeFileSync(file, bytes);
    const command = ["scp", "-qF", config, file, `${at}.qf.internal:kept`];
    expect(nat.run("hosta", command, lab.env(laptop.env())).exitCode).toBe(0);
    expect(readFileSync(join(deploy.home, "kept")).equals(bytes)).toBe(true);
  }, 30_000);

  test("forward a port of the machine", async () => {
    const port = 20_000 + (nat.port % 10_000) + 10_000;
    const child = laptop.spawn(["ssh", "-N", "-L", `${port}:127.0.0.1:${nat.port}`, at]);
    const probe = `exec 3<>/dev/tcp/127.0.0.1/${port} && printf 'GET /healthz HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n' >&3 && cat <&3`;
    const answer = await lab.until("the forward", async () => {
      const { stdout } = nat.run("hosta", ["timeout", "5", "bash", "-c", probe]);
      return stdout.includes("ok\n") && stdout;
    });
    expect(answer).toStartWith("HTTP/1.1 200");
    child.kill("SIGTERM");
    await child.exited;
  }, 30_000);

  test("go directly once the router forwards the port, where management sees it; running streams stay", async () => {
    const held = laptop.spawn(["ssh", at, "cat"]);
    const reader = held.stdout.getReader();
    held.stdin.write("one\n");
    await held.stdin.flush();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("one\n");
    nat.forwardToB(22_022);
    await lab.until("a direct connection", async () => {
      const result = await laptop.ssh(["-v", at, "true"]);
      return result.stderr.includes(`connected directly to ${nat.natB}:22022`);
    });
    const { sessions } = (await agent.status()).sshServer;
    expect(sessions.map(({ path }) => path)).toEqual(["relay"]);
    held.stdin.write("two\n");
    held.stdin.end();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("two\n");
    expect(await held.exited).toBe(0);
  }, 60_000);

  test("go directly by IPv6 once there is a way, and only there", async () => {
    const address = nat.routeIpv6(22_022);
    await agent.up(["--listen", `[${address}]:22022`]);
    const result = await lab.until("a direct connection", async () => {
      const found = await laptop.ssh(["-v", at, "echo $SSH_CONNECTION"]);
      return found.stderr.includes(`connected directly to [${address}]:22022`) && found;
    });
    expect(result).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^fd00:1::2 \d+ fd00:2::2 22022\n$/),
    });
  }, 30_000);
});
