/** A machine whose links are at one management process, and people who come to the other. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RELAY_LOSSES } from "../../src/fabric/relay-stream.ts";
import { renderDropIn } from "../../src/proxy/ssh-config/drop-in.ts";
import { type Balancer, openBalancer } from "../support/balancer.ts";
import { type Echo, freePort, startEcho } from "../support/echo.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { hasPostgres } from "../support/postgres.ts";
import { readAtLeast } from "../support/read-at-least.ts";
import { runProcess } from "../support/run-process.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { type LabManagement, openTwoManagements, type TwoManagements } from "../support/two-managements.ts";

const MB = 1024 * 1024;
const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

describe.skipIf(!hasPostgres || !isRoot)("a machine at one management, people at the other", () => {
  let setUp: SetUp;
  let two: TwoManagements;
  let lab: Lab;
  let account: OsAccount;
  let first: LabManagement;
  let second: LabManagement;
  let outside: Balancer;
  let agent: LabAgent;
  let laptop: LabDevice;
  let at: string;
  let sshConfig: string;
  let echo: Echo;

  const isLinked = async (): Promise<boolean> => {
    const { management, relay } = await agent.status();
    return management.connected && relay?.connected === true;
  };

  beforeAll(async () => {
    two = await openTwoManagements();
    lab = two.lab;
    // The one that the machine is linked to is where a container's would be: at another address than its own.
    outside = await openBalancer();
    const inside = await freePort();
    outside.backends = [inside];
    const told = `localhost:${outside.port}`;
    [first, second] = await Promise.all([
      two.serve("first", ["--cluster-listen", `0.0.0.0:${inside}`, "--cluster-advertise", told]),
      two.serve("second", [], { QF_CLUSTER_LISTEN: "127.0.0.3:0" }),
    ]);
    two.balancer.backends = [first.port];
    echo = await startEcho();
    const flags = ["--enable-ssh-sftp", "--enable-ssh-local-port-forwarding"];
    const args = ["--listen", "none", ...flags];
    setUp = await openSetUp({
      lab,
      accounts: [["two"]],
      policies: [{ rule: { ssh: { local_forward: [`127.0.0.1:${echo.port}`] } } }],
      machines: { hidden1: args },
      login: false,
    });
    ({ account, agent, device: laptop } = setUp);
    at = `${account.name}@hidden1`;
    await lab.until("its links", isLinked);
    two.balancer.backends = [second.port];
    await laptop.login();
    sshConfig = join(lab.root, "openssh-config");
    const { executable } = lab;
    const { configDir } = laptop;
    const dropIn = renderDropIn({ executable, domain: "qf.internal", configDir, shortNames: false });
    writeFileSync(sshConfig, dropIn);
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
    await two?.[Symbol.asyncDispose]();
    outside?.close();
    await echo?.[Symbol.asyncDispose]();
  });

  test("qf ssh gets there through both", async () => {
    const result = await laptop.ssh(["-v", at, "id -un; exit 3"]);
    expect(result).toMatchObject({ exitCode: 3, stdout: `${account.name}\n` });
    expect(result.stderr).toContain("connected through the relay");
  });

  test("scp takes 20 MB there and back unharmed", async () => {
    const bytes = randomBytes(20 * MB);
    const [here, back] = [join(lab.root, "sent"), join(lab.root, "back")];
    writeFileSync(here, bytes);
    const there = `${account.name}@hidden1.qf.internal:kept`;
    for (const [from, to] of [
      [here, there],
      [there, back],
    ] as const) {
      const command = ["scp", "-qF", sshConfig, from, to];
      const done = await runProcess(command, { env: lab.env(laptop.env()), cwd: lab.root });
      expect(done).toMatchObject({ exitCode: 0, stderr: "" });
    }
    expect(sha256(readFileSync(back))).toBe(sha256(bytes));
  }, 60_000);

  test("what comes after the end of what was sent still arrives", async () => {
    const bytes = randomBytes(300_000);
    const command = await laptop.ssh([at, "sha256sum; sleep 0.3; echo after"], { stdin: bytes });
    expect(command).toMatchObject({ exitCode: 0, stdout: `${sha256(bytes)}  -\nafter\n` });
    const forward = await laptop.ssh(["-W", `127.0.0.1:${echo.port}`, at], { stdin: "hello " });
    expect(forward).toMatchObject({ exitCode: 0, stdout: "hello bye" });
  });

  test("eight at once carry 4 MB each way without a byte amiss", async () => {
    const results = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const bytes = randomBytes(4 * MB);
        const file = join(lab.root, `in-${sha256(bytes).slice(0, 8)}`);
        writeFileSync(file, bytes);
        const child = Bun.spawn([lab.executable, "ssh", at, "cat"], {
          env: lab.env(laptop.env()),
          stdin: Bun.file(file),
          stdout: "pipe",
          stderr: "inherit",
        });
        return sha256(await new Response(child.stdout).bytes()) === sha256(bytes);
      }),
    );
    expect(results).toEqual(new Array(8).fill(true));
    await lab.until("the end", async () => (await agent.status()).relay?.streams === 0);
  }, 60_000);

  test("somebody who does not read keeps neither process growing", async () => {
    const memoryMb = ({ child }: LabManagement): number =>
      Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024;
    const before = [first, second].map(memoryMb);
    const children = Array.from({ length: 4 }, () => laptop.spawn(["ssh", at, "cat /dev/zero"]));
    const busy = async () => (await agent.status()).relay?.streams === 4;
    await lab.until("the streams", busy);
    // Unbounded, what four streams carry in this time would be some hundred megabytes.
    await Bun.sleep(3_000);
    const grown = [first, second].map((one, i) => memoryMb(one) - (before[i] ?? 0));
    for (const megabytes of grown) expect(megabytes).toBeLessThan(80);
    for (const child of children) child.kill("SIGKILL");
    await lab.until("the end", async () => (await agent.status()).relay?.streams === 0);
  }, 60_000);

  /** A download that has begun, and what it says when it is cut. */
  async function midway(): Promise<{ exitCode: Promise<number>; stderr: Promise<string> }> {
    const child = laptop.spawn(["ssh", at, "cat /dev/zero"]);
    const reader = child.stdout.getReader();
    await readAtLeast(reader, 10_000_000);
    // What is read no further would keep the process from its end.
    void (async () => {
      while (!(await reader.read()).done);
    })();
    return { exitCode: child.exited, stderr: new Response(child.stderr).text() };
  }

  test("the client's process killed in the middle: one clear line, and the other serves at once", async () => {
    const transfer = await midway();
    two.balancer.backends = [first.port];
    second.child.kill("SIGKILL");
    expect(await transfer.exitCode).toBe(255);
    expect(await transfer.stderr).toContain(`qf: error: ${RELAY_LOSSES.lost}\n`);
    await lab.until("nobody on it", async () => (await agent.status()).sshServer.sessions.length === 0);
    expect(await laptop.ssh([at, "echo here"])).toMatchObject({ exitCode: 0, stdout: "here\n" });
    second = await two.serve("second");
  }, 60_000);

  test("the machine's process killed in the middle: one clear line, and it is at the other within 10 s", async () => {
    two.balancer.backends = [second.port];
    expect(await laptop.ssh([at, "echo through"])).toMatchObject({ exitCode: 0, stdout: "through\n" });
    const transfer = await midway();
    first.child.kill("SIGKILL");
    expect(await transfer.exitCode).toBe(255);
    const stderr = await transfer.stderr;
    expect(stderr).toContain(`qf: error: ${RELAY_LOSSES.broken}\n`);
    expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
    await lab.until("its links", isLinked, 10_000);
    expect(await laptop.ssh([at, "echo back"])).toMatchObject({ exitCode: 0, stdout: "back\n" });
  }, 60_000);
});
