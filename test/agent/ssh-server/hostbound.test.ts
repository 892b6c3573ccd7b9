/** `publickey-hostbound-v00@openssh.com`: what is signed names the host key that the client was shown. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sshBlobOfEd25519 } from "../../../src/base/ed25519.ts";
import { UNPROVEN_SENTENCE } from "../../../src/policy/sentences.ts";
import { certificateFileText } from "../../support/certificates.ts";
import { type OpenSsh, openSshClient } from "../../support/openssh-client.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { anId, aRule } from "../../support/policy.ts";
import { runProcess } from "../../support/run-process.ts";
import {
  openSshPrivateKey,
  openTestSshServer,
  type TestSshServer,
} from "../../support/ssh-server-context.ts";
import { signIn } from "../../support/ssh-sign-in.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

const worlds: TestSshServer[] = [];
const clients: OpenSsh[] = [];
const running: Bun.Subprocess[] = [];
let account: OsAccount;
beforeEach(() => {
  account = new OsAccount("hb");
});
afterEach(async () => {
  for (const child of running.splice(0)) child.kill();
  for (const client of clients.splice(0)) client.remove();
  for (const world of worlds.splice(0)) await world.close();
  account[Symbol.dispose]();
});

async function openWorld(): Promise<TestSshServer> {
  const world = await openTestSshServer();
  const capabilities = { agent_forwarding: true };
  world.change((map) => ({
    ...map,
    rules: { [anId("rule")]: aRule("rule", ["devs"], "full", { capabilities }) },
  }));
  worlds.push(world);
  return world;
}

/** The key in a line as OpenSSH writes it. */
const blobOf = (line: string) => Buffer.from(line.split(" ")[1] ?? "", "base64");

describe.skipIf(!isRoot)("a signature for a host key", () => {
  const other = sshBlobOfEd25519("A".repeat(43));
  test.each([
    ["the one shown", (shown: Buffer) => shown, {}, true],
    ["another", () => other, {}, false],
    ["none", () => Buffer.alloc(0), {}, false],
    ["the one shown and more", (shown: Buffer) => Buffer.concat([shown, Buffer.of(0)]), {}, false],
    ["the one shown, which was not signed", (shown: Buffer) => shown, { signsUnbound: true }, false],
  ])("is taken for %s: %p %p", async (_, hostKeyOf, change, want) => {
    const world = await openWorld();
    const credential = await world.issue();
    const hostKey = hostKeyOf(blobOf(world.hostKeyLine));
    const made = await signIn(world, { ...credential, localUser: account.name, hostKey, ...change });
    made.client.destroy();
    expect([made.isIn, made.banner.includes(UNPROVEN_SENTENCE)]).toEqual([want, !want]);
  });

  test.each([
    ["all", "publickey-hostbound-v00@openssh.com"],
    ["unbound", "publickey"],
  ])("is what OpenSSH gives with PubkeyAuthentication=%s", async (mode, method) => {
    const world = await openWorld();
    const ssh = openSshClient(world, await world.issue());
    clients.push(ssh);
    const flags = ["-vvv", "-o", `PubkeyAuthentication=${mode === "all" ? "yes" : mode}`];
    const { status, stderr } = await ssh.run(account.name, ["true"], { flags });
    expect([status, stderr.includes(`sign_and_send_pubkey: using ${method} with`)]).toEqual([0, true]);
  });

  test("lets an agent's key through two machines to where it may go, and nowhere else", async () => {
    const [near, far, elsewhere] = [await openWorld(), await openWorld(), await openWorld()];
    const folder = tempFolder();
    const knownHosts = join(folder, "known_hosts");
    const place = ({ port }: TestSshServer) => `[127.0.0.1]:${port}`;
    const known = [near, far, elsewhere].map((world) => `${place(world)} ${world.hostKeyLine}\n`);
    writeFileSync(knownHosts, known.join(""));
    const socket = join(folder, "agent");
    const agent = Bun.spawn(["ssh-agent", "-D", "-a", socket], { stdout: "ignore", stderr: "ignore" });
    running.push(agent);
    await until(() => existsSync(socket));
    const env = { PATH: process.env.PATH ?? "", SSH_AUTH_SOCK: socket };
    const add = async (world: TestSshServer, constraints: readonly string[]) => {
      const { loginKey, certificate } = await world.issue();
      const path = join(folder, `key-${world.port}`);
      writeFileSync(path, openSshPrivateKey(loginKey, "login"), { mode: 0o600 });
      writeFileSync(`${path}-cert.pub`, certificateFileText(certificate, "login"));
      const flags = constraints.flatMap((constraint) => ["-h", constraint]);
      const added = await runProcess(["ssh-add", "-q", "-H", knownHosts, ...flags, path], { env });
      expect(added).toMatchObject({ exitCode: 0 });
      // Beside the certificate ssh(1) would have the agent sign by the key alone, which the agent refuses.
      expect((await runProcess(["ssh-add", "-q", "-d", "-k", path], { env })).exitCode).toBe(0);
    };
    await add(near, [place(near)]);
    await add(far, [place(near), `${place(near)}>${place(far)}`]);
    // Through `near` this one may go nowhere.
    await add(elsewhere, [place(elsewhere)]);
    const ssh = ({ port }: TestSshServer, ...more: string[]) => [
      ...["ssh", "-F", "none", "-p", `${port}`, "-l", account.name, "-o", "BatchMode=yes"],
      ...["-o", `UserKnownHostsFile=${knownHosts}`, "-o", "StrictHostKeyChecking=yes", ...more, "127.0.0.1"],
    ];
    const through = (world: TestSshServer) =>
      runProcess([...ssh(near, "-A"), ...ssh(world), "echo", "there"], { env });
    await Bun.$`chmod 755 ${folder} && chmod 644 ${knownHosts}`.quiet();
    expect(await through(far)).toMatchObject({ exitCode: 0, stdout: "there\n" });
    expect((await runProcess([...ssh(elsewhere), "true"], { env })).exitCode).toBe(0);
    expect((await through(elsewhere)).exitCode).toBe(255);
  });
});
