import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import ssh2, { type Session } from "ssh2";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { ALGORITHMS } from "../../src/sshcore/algorithms.ts";
import { guardClient } from "../../src/sshcore/guard.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";
import { channelOpen, kexInit, keyedClient, plausible } from "../support/raw-ssh.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;
const chunk = Buffer.alloc(64 * 1024, 0x5a);

let server: GuardedServer;
beforeAll(async () => {
  server = await startGuardedServer({ password: "right", limits: { rekeyBytes: MIB }, onSession: serve });
});
afterAll(() => server[Symbol.asyncDispose]());

/** `give N`: N bytes. `take`: how many came, when they end. */
function serve(session: Session): void {
  session.on("exec", (accept, _reject, { command }) => {
    const channel = accept();
    const finish = (): void => {
      channel.exit(0);
      channel.end();
    };
    if (command.startsWith("give")) {
      let left = Number(command.slice(5));
      const write = (): void => {
        while (left > 0) {
          const piece = chunk.subarray(0, Math.min(left, chunk.length));
          left -= piece.length;
          if (!channel.write(piece)) return void channel.once("drain", write);
        }
        finish();
      };
      write();
      return;
    }
    const hash = createHash("sha256");
    channel
      .on("data", (data: Buffer) => hash.update(data))
      .on("end", () => {
        channel.write(hash.digest("hex"));
        finish();
      });
  });
}

test.each([...ALGORITHMS.kex])(
  "the server asks for new keys after its bytes, in both directions (%s)",
  async (kex) => {
    const { client, exchanges } = await connect(kex);
    const bytes = await run(client, `give ${16 * MIB}`);
    expect(bytes.length).toBe(16 * MIB);
    expect(bytes.every((byte) => byte === 0x5a)).toBe(true);
    const afterDown = exchanges();
    expect(afterDown).toBeGreaterThan(4);
    const body = Buffer.alloc(16 * MIB, 0x33);
    expect((await run(client, "take", body)).toString()).toBe(
      createHash("sha256").update(body).digest("hex"),
    );
    expect(exchanges()).toBeGreaterThan(afterDown + 4);
    client.end();
  },
);

test.each([...ALGORITHMS.kex])("neither end keeps what its keys were made from (%s)", async (kex) => {
  const { client } = await connect(kex);
  const ends = [client, server.connections.at(-1)].map((end) => lastExchange(end));
  expect(ends.map(({ sessionID }) => sessionID?.length)).toEqual([32, 32]);
  for (const end of ends) {
    const kept = [end._keys, end._kem, end._kemPublic, end._secret, end._dh].filter((value) => value != null);
    expect(kept).toEqual([]);
    // As long as the exchange goes on, it has one of its own, which holds the secret.
    expect(prototypesOf(end).map((prototype) => prototype.finish)).toContain(end.finish);
  }
  client.end();
});

/** What ssh2 has of a connection's last key exchange. */
function lastExchange(end: unknown) {
  type Kept = Record<"_keys" | "_kem" | "_kemPublic" | "_secret" | "_dh" | "finish", unknown>;
  interface Exchange extends Kept {
    readonly sessionID?: Buffer;
  }
  return (end as { _protocol: { _kex: Exchange } })._protocol._kex;
}

function prototypesOf<T extends object>(value: T): Partial<T>[] {
  const next = Object.getPrototypeOf(value);
  return next === null ? [] : [next, ...prototypesOf<T>(next)];
}

test("the server asks for new keys when they are old", async () => {
  await using aging = await startGuardedServer({
    password: "right",
    limits: { rekeyMs: 60 },
    onSession: serve,
  });
  const { client, exchanges } = await connect("mlkem768x25519-sha256", aging.port);
  await until(() => exchanges() >= 4);
  expect((await run(client, "give 10")).length).toBe(10);
  client.end();
});

test("a client that asks for new keys without end is read more slowly, and never cut off", async () => {
  const spent: number[] = [];
  await using short = await startGuardedServer({
    password: "right",
    kexBudget: { spend: (ms) => spent.push(ms) * 0 + 5 },
    onSession: serve,
  });
  const { client, exchanges } = await connect("curve25519-sha256", short.port);
  const { _protocol: protocol } = client as unknown as { _protocol: { rekey(): void } };
  client.on("handshake", () => setImmediate(() => protocol.rekey()));
  protocol.rekey();
  await until(() => exchanges() > 60);
  expect((await run(client, "give 100000")).length).toBe(100_000);
  expect(short.violations).toEqual([]);
  // The first exchange belongs to the sign-in.
  expect(spent.length).toBeGreaterThan(50);
  expect(spent.every((ms) => ms > 0 && ms <= 20)).toBe(true);
  client.end();
});

test("data flows between exchanges that both sides ask for all the time", async () => {
  const { client, exchanges } = await connect("curve25519-sha256");
  const { _protocol: protocol } = client as unknown as { _protocol: { rekey(): void } };
  client.on("handshake", () => setImmediate(() => protocol.rekey()));
  protocol.rekey();
  const body = Buffer.alloc(4 * MIB, 0x33);
  expect((await run(client, `give ${4 * MIB}`)).length).toBe(4 * MIB);
  expect((await run(client, "take", body)).toString()).toBe(createHash("sha256").update(body).digest("hex"));
  expect(exchanges()).toBeGreaterThan(8);
  client.end();
});

test("a client that begins a key exchange and does not end it is refused, and memory stays bounded", async () => {
  await using short = await startGuardedServer({
    password: "right",
    limits: { rekeyStallMs: 1_500, lingerMs: 100 },
    onSession: serve,
  });
  using client = await keyedClient(short.port, "open");
  const exec = new SshWriter().uint8(98).uint32(0).text("exec").bool(true).text("give 900000000").toBuffer();
  client.send(channelOpen("session", 0, { window: 0xffff_ffff }), exec);
  await until(() => client.received.includes(94));
  const before = process.memoryUsage.rss();
  client.send(kexInit());
  await until(() => client.received.includes(20));
  client.payloads.length = 0;
  // What the command still writes waits at its source, not in a queue: only what was under way arrives.
  let received = -1;
  while (received !== client.received.length) {
    received = client.received.length;
    await Bun.sleep(150);
  }
  expect(client.isClosed()).toBe(false);
  expect((process.memoryUsage.rss() - before) / MIB).toBeLessThan(128);
  await client.closed;
  expect(short.violations).toEqual(["a key exchange that does not end"]);
});

test("during a key exchange nothing is taken but what belongs to the open connection", async () => {
  await using strict = await startGuardedServer({ password: "right", limits: { lingerMs: 100 } });
  for (const type of [5, 20, 21, 50, 61, 127, 192]) {
    using client = await keyedClient(strict.port, "open");
    client.send(kexInit(), plausible(type));
    await client.closed;
    expect(strict.violations.at(-1)).toBe(`message ${type} in state rekey`);
    // And the client is told: the text follows the reason (RFC 4253 section 11.1).
    const goodbye = client.payloads.find((payload) => payload[0] === 1);
    expect(goodbye?.toString("latin1")).toContain(`message ${type} in state rekey`);
  }
});

test("data and keepalives that a thread of the client sends after its KEXINIT are taken, within their bounds", async () => {
  await using tolerant = await startGuardedServer({
    password: "right",
    limits: { lingerMs: 100 },
    onSession: serve,
  });
  const exec = new SshWriter().uint8(98).uint32(0).text("exec").bool(true).text("take").toBuffer();
  const data = (bytes: number) => new SshWriter().uint8(94).uint32(0).string(Buffer.alloc(bytes)).toBuffer();
  const adjust = new SshWriter().uint8(93).uint32(0).uint32(1_000).toBuffer();
  const keepalive = new SshWriter().uint8(80).text("keepalive@example.com").bool(true).toBuffer();
  {
    using client = await keyedClient(tolerant.port, "open");
    client.send(channelOpen("session", 0), exec);
    await until(() => client.received.includes(99));
    // Strict mode forbids the last three in the first exchange only: asyncssh sends them in others.
    client.send(kexInit(), data(1_000), adjust, keepalive, plausible(2), plausible(3), plausible(4));
    await until(() => client.received.includes(20));
    await Bun.sleep(50);
    expect(client.isClosed()).toBe(false);
    expect(tolerant.violations).toEqual([]);
  }
  using greedy = await keyedClient(tolerant.port, "open");
  greedy.send(channelOpen("session", 0), exec);
  await until(() => greedy.received.includes(99));
  greedy.send(kexInit(), data(32_769));
  await greedy.closed;
  expect(tolerant.violations).toEqual(["data beyond the packet size"]);
});

test("keepalives are answered both ways, and a peer that does not answer is left", async () => {
  await using lively = await startGuardedServer({ password: "right", keepaliveMs: 50, onSession: serve });
  const client = new ssh2.Client();
  await new Promise<void>((done, fail) => {
    client.on("ready", () => done()).on("error", fail);
    client.connect({
      host: "127.0.0.1",
      port: lively.port,
      username: "root",
      password: "right",
      keepaliveInterval: 40,
      keepaliveCountMax: 2,
    });
    guardClient(client);
  });
  await Bun.sleep(600);
  expect((await run(client, "give 10")).length).toBe(10);
  client.end();
  using silent = await keyedClient(lively.port, "open");
  const { promise, resolve } = Promise.withResolvers<void>();
  void silent.closed.then(resolve);
  await promise;
});

async function connect(kex: string, port = server.port) {
  const client = new ssh2.Client();
  let exchanges = 0;
  client.on("handshake", () => {
    exchanges++;
  });
  await new Promise<void>((done, fail) => {
    client.on("ready", () => done()).on("error", fail);
    client.connect({
      host: "127.0.0.1",
      port,
      username: "root",
      password: "right",
      algorithms: { ...ALGORITHMS, kex: [kex] as unknown as typeof ALGORITHMS.kex },
    });
    guardClient(client);
  });
  client.removeAllListeners("error").on("error", () => {});
  return { client, exchanges: () => exchanges };
}

function run(client: ssh2.Client, command: string, input?: Buffer): Promise<Buffer> {
  return new Promise((done, fail) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return fail(error);
      const chunks: Buffer[] = [];
      channel.on("data", (data: Buffer) => chunks.push(data)).on("close", () => done(Buffer.concat(chunks)));
      channel.end(input);
    });
  });
}
