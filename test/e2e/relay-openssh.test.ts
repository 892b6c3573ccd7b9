/** OpenSSH's own ssh and scp to a machine that nobody can reach directly. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot).each([
  { way: "WebSockets", serveArgs: [], helpers: 1 },
  { way: "plain connections", serveArgs: ["--relay-listen", "127.0.0.1:0"], helpers: 0 },
])("OpenSSH through the relay, on $way", ({ serveArgs, helpers }) => {
  let setUp: SetUp;
  let lab: Lab;
  let deploy: OsAccount;
  let agent: LabAgent;
  let laptop: LabDevice;
  let config: string;
  let at: string;

  beforeAll(async () => {
    const args = ["--listen", "none", "--enable-ssh-sftp"];
    setUp = await openSetUp({ accounts: [["deploy"]], machines: { hidden1: args }, login: 600, serveArgs });
    ({ lab, account: deploy, agent, device: laptop } = setUp);
    at = `${deploy.name}@hidden1.qf.internal`;
    config = join(lab.root, "openssh-config");
    const { executable } = lab;
    const { configDir } = laptop;
    writeFileSync(config, renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false }));
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const run = (command: readonly string[], stdin?: Uint8Array) =>
    runProcess(command, {
      env: lab.env(laptop.env()),
      cwd: lab.root,
      ...(stdin === undefined ? {} : { stdin }),
    });
  const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

  /** Helpers of this lab that carry a stream. */
  function carriers(): number {
    return readdirSync("/proc").filter((pid) => {
      if (!/^\d+$/.test(pid)) return false;
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return line.startsWith(lab.executable) && line.endsWith("proxy\0carry\0") && usesLab(pid);
      } catch {
        return false;
      }
    }).length;
  }
  const usesLab = (pid: string): boolean => readFileSync(`/proc/${pid}/environ`, "utf8").includes(lab.url);

  test("ssh runs commands with its streams and status", async () => {
    const bytes = randomBytes(3_000_000);
    const result = await run(["ssh", "-F", config, at, "sha256sum; echo err >&2; exit 4"], bytes);
    expect(result).toMatchObject({ exitCode: 4, stderr: "err\n" });
    expect(result.stdout.slice(0, 64)).toBe(sha256(bytes));
    expect(result.stdout).toHaveLength(68);
  });

  test("scp takes a file there and back", async () => {
    const bytes = randomBytes(20 * 1024 * 1024);
    const [here, back] = [join(lab.root, "sent"), join(lab.root, "back")];
    writeFileSync(here, bytes);
    expect(await run(["scp", "-qF", config, here, `${at}:kept`])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await run(["scp", "-qF", config, `${at}:kept`, back])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(sha256(readFileSync(back))).toBe(sha256(bytes));
  }, 60_000);

  test("ten at once all get in, and no helper stays", async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, i) => run(["ssh", "-F", config, at, `echo ${i}`])),
    );
    expect(all.map(({ stdout, stderr }) => stdout.trim() || stderr)).toEqual(all.map((_, i) => `${i}`));
    await lab.until("the helpers' end", async () => carriers() === 0);
    expect((await agent.status()).relay).toEqual({ connected: true, streams: 0 });
  }, 60_000);

  test("ssh that is killed ends its helper and its session", async () => {
    const child = Bun.spawn(["ssh", "-F", config, at, "sleep 60"], {
      env: lab.env(laptop.env()),
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    await lab.until("the session", async () => (await agent.status()).sshServer.sessions.length === 1);
    expect(carriers()).toBe(helpers);
    child.kill("SIGKILL");
    await lab.until("its end", async () => (await agent.status()).sshServer.sessions.length === 0);
    await lab.until("the helper's end", async () => carriers() === 0);
  });

  test("a machine that is away is told in one line", async () => {
    await agent.down();
    const result = await run(["ssh", "-F", config, at, "true"]);
    expect(result.exitCode).toBe(255);
    expect(result.stderr).toMatch(/^qf: error: .*(?:not connected|not detected).*\n/);
    expect(carriers()).toBe(0);
  });
});
