/** What a client may take of the agent, before and after it is known who it is. */
import { afterEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import type { Client } from "ssh2";
import type { Limits } from "../../../src/agent/ssh-server/limits.ts";
import { isRoot } from "../../support/os-accounts.ts";
import { signIn } from "../../support/ssh-sign-in.ts";
import { openSshWorld, type SshWorld } from "../../support/ssh-world.ts";

let world: SshWorld;
afterEach(() => world.close());

async function open(limits: Partial<Limits>): Promise<void> {
  world = await openSshWorld({ limits });
}

/** A socket that says nothing, or one line; `closed` settles when the server ends it. */
function silent(line = ""): { socket: Socket; closed: Promise<void> } {
  const socket = connect(world.port, "127.0.0.1");
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {}).resume();
  if (line !== "") socket.write(line);
  return { socket, closed };
}

describe.skipIf(!isRoot)("a connection", () => {
  test.each(["", "SSH-2.0-silent\r\n"])("that says only %j is ended when its time is over", async (line) => {
    await open({ graceMs: 300 });
    const startedMs = performance.now();
    await silent(line).closed;
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  test("of one source too many is not answered until another is over", async () => {
    await open({ startsPerSourceMax: 2 });
    const first = silent();
    const second = silent();
    await Bun.sleep(100);
    await silent().closed;
    first.socket.destroy();
    second.socket.destroy();
    await Bun.sleep(100);
    const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: "root" });
    expect(isIn).toBe(true);
    client.end();
  });

  test("that is signed in no longer counts as a start", async () => {
    await open({ startsPerSourceMax: 1 });
    const credential = await world.issue();
    const clients: Client[] = [];
    for (let i = 0; i < 3; i++)
      clients.push((await signIn(world, { ...credential, localUser: "root" })).client);
    expect(world.server.sessions()).toHaveLength(3);
    for (const client of clients) client.end();
  });

  test("of one user too many is refused, and says so", async () => {
    await open({ connectionsPerUserMax: 1 });
    const credential = await world.issue();
    const first = await signIn(world, { ...credential, localUser: "root" });
    const second = await signIn(world, { ...credential, localUser: "root" });
    expect(second.isIn).toBe(false);
    expect(second.banner).toContain("Too many connections");
    const closed = new Promise<void>((resolve) => first.client.once("close", () => resolve()));
    first.client.end();
    await closed;
    await Bun.sleep(50);
    const third = await signIn(world, { ...credential, localUser: "root" });
    expect(third.isIn).toBe(true);
    third.client.end();
  });

  test("that goes on asking for what it may not have is ended", async () => {
    await open({ refusalsMax: 5 });
    world.flags = { ...world.flags, sshLocalForwarding: false };
    const { client } = await signIn(world, { ...(await world.issue()), localUser: "root" });
    client.on("error", () => {});
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    for (let i = 0; i < 8; i++) client.forwardOut("127.0.0.1", 1, "127.0.0.1", 1, () => {});
    await closed;
    await Bun.sleep(50);
    expect(world.eventsOf("connection.close")[0]?.reason).toBe("limit_reached");
  });
});
