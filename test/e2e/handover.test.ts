/** An agent is replaced by another process under live sessions, by a direct path and by the relay. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { askAgent } from "../../src/agent/control-socket/control-client.ts";
import { freePort } from "../support/echo.ts";
import type { Lab, LabAgent, LabDevice } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";

describe.skipIf(!isRoot)("an agent that is replaced", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let device: LabDevice;
  let machines: readonly LabAgent[];
  const successors: Bun.Subprocess[] = [];

  beforeAll(async () => {
    const machineFlags = { web1: ["--enable-ssh-local-port-forwarding"], web2: ["--listen", "none"] };
    setUp = await openSetUp({ accounts: [["over"]], machines: machineFlags });
    ({ lab, account, device } = setUp);
    machines = [setUp.machine("web1"), setUp.machine("web2")];
    for (const { name } of machines) {
      await lab.until(
        "access",
        async () => (await device.ssh([`${account.name}@${name}`, "true"])).exitCode === 0,
      );
    }
  }, 240_000);

  afterAll(async () => {
    for (const machine of machines ?? []) await machine.down();
    for (const one of successors) await one.exited;
    await setUp?.[Symbol.asyncDispose]();
  });

  /** A session that says again what it is told. */
  function echo(name: string, args: readonly string[] = []) {
    const child = device.spawn(["ssh", ...args, `${account.name}@${name}`, "cat"]);
    let heard = "";
    void child.stdout.pipeTo(
      new WritableStream({
        write(chunk) {
          heard += Buffer.from(chunk).toString();
        },
      }),
    );
    const say = async (word: string): Promise<void> => {
      child.stdin.write(`${word}\n`);
      await child.stdin.flush();
      await lab.until(`the echo of ${word}`, async () => heard.includes(word));
    };
    return { child, say };
  }

  /** Another process takes over, and serves by the time this resolves. */
  async function replace(machine: LabAgent): Promise<{ before: number; after: number }> {
    const { pid: before } = await machine.status();
    await askAgent(machine.stateDir, { do: "hand_over" });
    const words = ["agent", "up", "--foreground", "--state-dir", machine.stateDir];
    successors.push(
      Bun.spawn([lab.executable, ...words], {
        env: lab.env(),
        cwd: "/",
        stdio: ["ignore", "ignore", "ignore"],
      }),
    );
    const status = await lab.until("the successor", async () => {
      const now = await machine.status().catch(() => undefined);
      return (
        now !== undefined && now.pid !== before && now.state === "running" && now.management.connected && now
      );
    });
    return { before, after: status.pid };
  }

  test("serves its sessions on, lets others in meanwhile, and ends them as soon as a rule is gone", async () => {
    const server = createServer((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const target = typeof address === "object" && address !== null ? address.port : 0;
    const port = await freePort();
    const direct = echo("web1", ["-L", `127.0.0.1:${port}:127.0.0.1:${target}`]);
    const relayed = echo("web2");
    await direct.say("one");
    await relayed.say("two");

    // People come and go all the while; none of them is turned away.
    let isOver = false;
    const visits: number[] = [];
    const visiting = (async () => {
      while (!isOver) visits.push((await device.ssh([`${account.name}@web1`, "true"])).exitCode);
    })();
    const pids = [];
    for (const machine of machines) pids.push(await replace(machine));
    isOver = true;
    await visiting;
    expect(new Set(visits)).toEqual(new Set([0]));

    await direct.say("three");
    await relayed.say("four");
    // The first forward of the earlier agent's connection, begun after it was replaced.
    expect(await throughForward(port, "five")).toBe("five");
    for (const { before } of pids) expect(isThere(before)).toBe(true);
    for (const machine of machines) {
      await lab.until("the running agent has been told of the session of the earlier one", async () => {
        const { sessions } = (await machine.status()).sshServer;
        return sessions.length === 1;
      });
    }
    expect((await device.ssh([`${account.name}@web2`, "echo in"])).stdout).toBe("in\n");

    await lab.api("DELETE", `/api/policies/${setUp.policy.id}`);
    expect(await direct.child.exited).not.toBe(0);
    expect(await relayed.child.exited).not.toBe(0);
    expect(await new Response(direct.child.stderr).text()).toContain("Access revoked");
    for (const { before } of pids) await lab.until("its end", async () => !isThere(before));
    const ended = (await lab.events()).filter(({ activity_code: code }) => code === "ssh.session.end");
    expect(ended.length).toBeGreaterThanOrEqual(2);
    server.close();
  }, 120_000);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function throughForward(port: number, word: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, data) => resolve(data.toString()),
      close: () => reject(new Error("closed")),
      error() {},
    },
  });
  socket.write(word);
  const heard = await promise;
  socket.end();
  return heard;
}
