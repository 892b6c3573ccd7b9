/** What a client may take of the agent, before and after it is known who it is. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import type { Client, ClientChannel } from "ssh2";
import type { Limits } from "../../../src/agent/contracts/limits.ts";
import { sentenceOf } from "../../../src/policy/sentences.ts";
import { isRoot, OsAccount } from "../../support/os-accounts.ts";
import { anId } from "../../support/policy.ts";
import { keyedClient, plausible } from "../../support/raw-ssh.ts";
import { openTestSshServer, type TestSshServer } from "../../support/ssh-server-context.ts";
import { type SignIn, signIn } from "../../support/ssh-sign-in.ts";
import { until } from "../../support/until.ts";

let world: TestSshServer;
let account: OsAccount;
beforeAll(() => {
  if (isRoot) account = new OsAccount("bounds");
});
afterAll(() => account?.[Symbol.dispose]());
afterEach(() => world.close());

async function open(limits: Partial<Limits>): Promise<void> {
  world = await openTestSshServer({ limits });
}

/**
 * A socket that says nothing, or one line. `answered` settles when the server has said its version, `closed`
 * when it ends it.
 */
function silent(line = ""): { socket: Socket; answered: Promise<void>; closed: Promise<void> } {
  const socket = connect(world.port, "127.0.0.1");
  const answered = new Promise<void>((resolve) => socket.once("data", () => resolve()));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {}).resume();
  if (line !== "") socket.write(line);
  return { socket, answered, closed };
}

/** Signs in as soon as the server has noticed who has gone. */
function signInOnceFree(credential: Parameters<typeof signIn>[1]): Promise<SignIn> {
  return until("a place", async () => {
    const signedIn = await signIn(world, credential);
    return signedIn.isIn && signedIn;
  });
}

function openSession(client: Client): Promise<ClientChannel | Error> {
  return new Promise((resolve) => client.exec("sleep 60", (error, stream) => resolve(error ?? stream)));
}

async function closeReason(): Promise<string | null> {
  const event = await until("the connection's end", () => world.eventsOf("connection.close")[0]);
  return event.reason;
}

describe.skipIf(!isRoot)("a connection", () => {
  test.each(["", "SSH-2.0-silent\r\n"])("that says only %j is ended when its time is over", async (line) => {
    await open({ graceMs: 300 });
    await silent(line).closed;
  });

  test("of one source too many is not answered until another is over", async () => {
    await open({ startsPerSourceMax: 2 });
    const first = silent();
    const second = silent();
    await Promise.all([first.answered, second.answered]);
    await silent().closed;
    first.socket.destroy();
    second.socket.destroy();
    const { client } = await signInOnceFree({ ...(await world.issue()), localUser: account.name });
    client.end();
  });

  test("of all sources too many is not answered either", async () => {
    await open({ startsMax: 2 });
    await silent().answered;
    world.sourcePeerId = null;
    await silent().answered;
    await silent().closed;
    world.sourcePeerId = anId("laptop");
    await silent().closed;
  });

  test("that fails too often is told so and ended", async () => {
    await open({ authTriesMax: 3 });
    using client = await keyedClient(world.port, "failed");
    for (let tries = 0; tries < 3; tries++) {
      const failures = () => client.received.filter((type) => type === 51).length;
      const before = failures();
      client.send(plausible(50));
      await until("a failure", () => failures() > before);
      expect(failures()).toBe(before + 1);
    }
    await client.closed;
    const said = client.payloads.find((payload) => payload[0] === 1);
    expect(said?.toString("latin1")).toContain("Too many authentication failures");
  });

  test("with more channels than one may have is told so, whatever they are for", async () => {
    await open({ channelsMax: 2 });
    const { client } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    await openSession(client);
    await openSession(client);
    expect(String(await openSession(client))).toContain("too many channels");
    client.end();
  });

  test("that is signed in no longer counts as a start", async () => {
    await open({ startsPerSourceMax: 1 });
    const credential = await world.issue();
    const clients: Client[] = [];
    for (let i = 0; i < 3; i++)
      clients.push((await signIn(world, { ...credential, localUser: account.name })).client);
    expect(world.server.sessions()).toHaveLength(3);
    for (const client of clients) client.end();
  });

  test("of one user too many is refused, and says so", async () => {
    await open({ connectionsPerUserMax: 1 });
    const credential = await world.issue();
    const first = await signIn(world, { ...credential, localUser: account.name });
    const second = await signIn(world, { ...credential, localUser: account.name });
    expect(second.isIn).toBe(false);
    expect(second.banner).toContain(sentenceOf("limit_reached").sentence);
    const closed = new Promise<void>((resolve) => first.client.once("close", () => resolve()));
    first.client.end();
    await closed;
    const third = await signInOnceFree({ ...credential, localUser: account.name });
    third.client.end();
  });

  test("with more sessions than one may have is told so, and keeps the others", async () => {
    await open({ sessionsMax: 2 });
    const { client } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    const shells = [await openSession(client), await openSession(client)];
    expect(shells.every((shell) => shell instanceof Error)).toBe(false);
    const third = await openSession(client);
    expect(String(third)).toContain("Too many sessions");
    expect(world.server.sessions()).not.toHaveLength(0);
    client.end();
  });

  test("that is silent for longer than flags allow is ended, however long policies allow", async () => {
    await open({});
    const { client } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    client.on("error", () => {});
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    world.limits = { ...world.limits, idleMs: 200 };
    await closed;
    expect(await closeReason()).toBe("session_idle");
  });

  test("that lasts longer than flags allow is ended, busy or not", async () => {
    await open({});
    const { client } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    client.on("error", () => {});
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    client.exec("while echo x; do sleep 0.05; done", (_error, stream) => stream?.resume());
    world.limits = { ...world.limits, idleMs: 10_000, connectionMs: 500 };
    await closed;
    expect(await closeReason()).toBe("session_time_over");
  });

  test("that is busy is not idle", async () => {
    await open({});
    const idleMs = 3_000;
    const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
    const sayThem = async (): Promise<{ output: string; pauseMs: number }> => {
      world.limits = { ...world.limits, idleMs: null };
      const { client, isIn } = await signIn(world, { ...(await world.issue()), localUser: account.name });
      expect(isIn).toBe(true);
      let heardMs = Number.POSITIVE_INFINITY;
      let pauseMs = 0;
      const hear = (): void => {
        pauseMs = Math.max(pauseMs, performance.now() - heardMs);
        heardMs = performance.now();
      };
      const output = await new Promise<string>((resolve) => {
        let text = "";
        client.exec(`for i in ${numbers.join(" ")}; do echo $i; sleep 0.1; done`, (_error, stream) => {
          stream?.on("data", (data: Buffer) => {
            hear();
            text += data;
            world.limits = { ...world.limits, idleMs };
          });
          stream?.on("close", () => resolve(text));
        });
      });
      hear();
      client.end();
      return { output, pauseMs };
    };
    // Where the machine lets the command wait for so long, it is idle indeed; then it says nothing.
    let said = await sayThem();
    for (let round = 0; round < 5 && said.pauseMs > idleMs / 2; round++) said = await sayThem();
    expect(said.output).toBe(`${numbers.join("\n")}\n`);
  });

  test("whose client is gone without a word is ended, and one that answers is not", async () => {
    await open({ aliveIntervalMs: 100, aliveCountMax: 3 });
    const credential = { ...(await world.issue()), localUser: account.name };
    const there = await signIn(world, credential);
    const gone = await signIn(world, credential);
    const inside = gone.client as unknown as { _protocol: { inspectPayload: () => undefined } };
    inside._protocol.inspectPayload = () => undefined;
    await new Promise<void>((resolve) => gone.client.on("error", () => {}).once("close", () => resolve()));
    await until("its end", () => world.server.sessions().length === 1);
    there.client.end();
  });

  test("beyond a bound that was lowered is not taken, and those that are on stay on", async () => {
    await open({ connectionsPerUserMax: 8 });
    const credential = { ...(await world.issue()), localUser: account.name };
    const clients = [await signIn(world, credential), await signIn(world, credential)];
    world.limits = { ...world.limits, connectionsPerUserMax: 1 };
    const third = await signIn(world, credential);
    expect(third.isIn).toBe(false);
    expect(world.server.sessions()).toHaveLength(2);
    for (const { client } of clients) client.end();
  });

  test("that goes on asking for what it may not have is ended", async () => {
    await open({ refusalsMax: 5 });
    world.flags = { ...world.flags, sshLocalForwarding: false };
    const { client } = await signIn(world, { ...(await world.issue()), localUser: account.name });
    client.on("error", () => {});
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    for (let i = 0; i < 8; i++) client.forwardOut("127.0.0.1", 1, "127.0.0.1", 1, () => {});
    await closed;
    expect(await closeReason()).toBe("limit_reached");
  });
});
