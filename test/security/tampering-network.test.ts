/** A network that changes, cuts or takes over what passes gets nobody's connection. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Lab, LabAgent, LabDevice, Person } from "../support/lab.ts";
import { isRoot, type OsAccount } from "../support/os-accounts.ts";
import { openSetUp, type SetUp } from "../support/set-up.ts";
import { type Capture, openTamperer, openTrap, sshPort } from "../support/ssh-trap.ts";

describe.skipIf(!isRoot)("a tampering network", () => {
  let setUp: SetUp;
  let lab: Lab;
  let account: OsAccount;
  let agent: LabAgent;
  let other: LabAgent;
  let person: Person;

  beforeAll(async () => {
    setUp = await openSetUp({ accounts: [["net"]], machines: { web1: [], other: [] }, devices: {} });
    ({ lab, account, person, agent } = setUp);
    other = setUp.machine("other");
  }, 120_000);

  afterAll(async () => {
    await setUp?.[Symbol.asyncDispose]();
  });

  const through = (port: number) => agent.up(["--advertise", `127.0.0.1:${port}`]);
  // A device remembers what path worked: each attempt is of one that knows nothing yet.
  let devices = 0;
  async function newDevice(): Promise<LabDevice> {
    const device = lab.device(person, `laptop${++devices}`);
    await device.login();
    return device;
  }
  const attempt = async () =>
    (await newDevice()).ssh([`${account.name}@web1`, "echo in"], { timeoutMs: 30_000 });

  test("that changes nothing is no hindrance", async () => {
    const port = await sshPort(agent);
    await using proxy = await openTamperer(
      () => port,
      (_direction, _before, chunk) => chunk,
    );
    await through(proxy.port);
    expect(await attempt()).toMatchObject({ exitCode: 0, stdout: "in\n" });
  });

  // Offsets in the hello, the identification strings, the key exchange and the encrypted part.
  test.each([
    ["up", 300],
    ["up", 420],
    ["up", 700],
    ["up", 1_800],
    ["down", 5],
    ["down", 100],
    ["down", 900],
    ["down", 1_300],
  ] as const)("that flips a bit going %s at %d gets no session", async (direction, offset) => {
    const port = await sshPort(agent);
    let flipped = false;
    await using proxy = await openTamperer(
      () => port,
      (way, before, chunk) => {
        const at = offset - before;
        if (way === direction && at >= 0 && at < chunk.length) {
          chunk[at] = (chunk[at] ?? 0) ^ 1;
          flipped = true;
        }
        return chunk;
      },
    );
    await through(proxy.port);
    const result = await attempt();
    expect(flipped).toBe(true);
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toMatch(/^qf: error: /m);
  });

  test("that is another machine of the network is told apart by its host key", async () => {
    const captures: Capture[] = [];
    await using trap = await openTrap(other, captures);
    await through(trap.port);
    const result = await attempt();
    expect(result).toMatchObject({ exitCode: 255, stdout: "" });
    expect(result.stderr).toMatch(/host key/i);
    expect(captures).toEqual([]);
  });

  test("that spoils the hello is gone around, and what it carries is nobody's", async () => {
    const port = await sshPort(agent);
    let answered = 0;
    await using proxy = await openTamperer(
      () => port,
      (direction, before, chunk) => {
        if (direction === "down") answered += chunk.length;
        else if (before <= 40 && before + chunk.length > 40)
          chunk[40 - before] = (chunk[40 - before] ?? 0) ^ 1;
        return chunk;
      },
    );
    await through(proxy.port);
    expect(await attempt()).toMatchObject({ exitCode: 0, stdout: "in\n" });
    expect(answered).toBe(0);
  });

  test("that carries the stream to another machine of the network gets no answer there", async () => {
    const port = await sshPort(other);
    let answered = 0;
    await using proxy = await openTamperer(
      () => port,
      (direction, _before, chunk) => {
        if (direction === "down") answered += chunk.length;
        return chunk;
      },
    );
    await through(proxy.port);
    expect(await attempt()).toMatchObject({ exitCode: 0, stdout: "in\n" });
    expect(answered).toBe(0);
    const { self } = await other.status();
    const opened = (await lab.events("limit=1000")).filter(
      (event) => event.activity_code === "ssh.connection.open",
    );
    expect(
      opened.some((event) => event.initiator_id === self?.peerId || event.target_id === self?.peerId),
    ).toBe(false);
  });

  test("that cuts the stream in the middle of a session is an error, not an end", async () => {
    const port = await sshPort(agent);
    await using proxy = await openTamperer(
      () => port,
      (direction, before, chunk) => (direction === "down" && before > 200_000 ? Buffer.alloc(0) : chunk),
    );
    await through(proxy.port);
    const child = (await newDevice()).spawn(["ssh", `${account.name}@web1`, "head -c 1000000 /dev/zero"]);
    await Bun.sleep(3_000);
    await proxy[Symbol.asyncDispose]();
    expect(await child.exited).toBe(255);
  });
});
