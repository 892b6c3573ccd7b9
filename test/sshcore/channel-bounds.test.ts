import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ServerChannel } from "ssh2";
import { SshReader, SshWriter } from "../../src/base/ssh-buffer.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";
import { growth, leastGrowth } from "../support/memory-growth.ts";
import { channelOpen, keyedClient, type RawClient } from "../support/raw-ssh.ts";
import { settles, until } from "../support/until.ts";

const EXEC = 98;
const WINDOW = 2 * 1024 * 1024;

let server: GuardedServer;
/** Channels of commands, in order. */
const channels: ServerChannel[] = [];
beforeAll(async () => {
  server = await startGuardedServer({
    password: "right",
    limits: { lingerMs: 200, channelsMax: 8, unsentBytesMax: 1024 * 1024 },
    onSession: (session) => {
      session.on("exec", (accept, _reject, { command }) => {
        const start = () => channels.push(accept());
        if (command === "later") setTimeout(start, 50);
        else start();
      });
    },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const exec = (recipient: number, command = "sink"): Buffer =>
  new SshWriter().uint8(EXEC).uint32(recipient).text("exec").bool(true).text(command).toBuffer();
const data = (recipient: number, bytes: number): Buffer =>
  new SshWriter().uint8(94).uint32(recipient).string(Buffer.alloc(bytes, 0x61)).toBuffer();
const adjust = (recipient: number, bytes: number): Buffer =>
  new SshWriter().uint8(93).uint32(recipient).uint32(bytes).toBuffer();
const bare = (type: number, recipient: number): Buffer =>
  new SshWriter().uint8(type).uint32(recipient).toBuffer();
const confirmation = new SshWriter().uint8(91).uint32(0).uint32(0).uint32(1).uint32(32_768).toBuffer();
const ping = (bytes: number): Buffer => new SshWriter().uint8(192).string(Buffer.alloc(bytes, 7)).toBuffer();
const globalRequest = new SshWriter()
  .uint8(80)
  .text("tcpip-forward")
  .bool(true)
  .text("x")
  .uint32(0)
  .toBuffer();

describe("once somebody is signed in the guard ends the connection for", () => {
  test.each([
    {
      name: "data beyond the window",
      say: Array.from({ length: 160 }, () => data(0, 32_768)),
      what: "window",
    },
    { name: "data after EOF", say: [bare(96, 0), data(0, 1)], what: "after its end" },
    {
      name: "data of another length than it says",
      say: [Buffer.concat([data(0, 4), Buffer.alloc(1)])],
      what: "length",
    },
    { name: "data cut short", say: [Buffer.of(94, 0, 0)], what: "cut short" },
    { name: "a window beyond 4 GiB", say: [adjust(0, 0xffff_ffff)], what: "4 GiB" },
    { name: "a confirmation that nobody waits for", say: [confirmation], what: "confirmation" },
    { name: "a ping that is too long", say: [ping(1_025)], what: "ping" },
    { name: "NEWKEYS without an exchange", say: [Buffer.of(21)], what: "message 21" },
    { name: "another SERVICE_REQUEST", say: [Buffer.of(5)], what: "message 5" },
    { name: "an answer to a prompt", say: [Buffer.of(61, 0, 0, 0, 0)], what: "message 61" },
    { name: "EXT_INFO", say: [Buffer.of(7, 0, 0, 0, 0)], what: "message 7" },
    { name: "a message only servers send", say: [Buffer.of(52)], what: "message 52" },
  ])("$name", async ({ say, what }) => {
    using client = await withCommand();
    const before = server.violations.length;
    client.send(...say);
    await endsSoon(client);
    expect(server.violations.slice(before).join()).toContain(what);
  });

  test("requests that it is given no time to answer", async () => {
    await using slow = await startGuardedServer({
      password: "right",
      limits: { lingerMs: 200, unansweredMax: 16 },
      onConnection: (connection) => void connection.removeAllListeners("request").on("request", () => {}),
    });
    using client = await keyedClient(slow.port, "open");
    client.send(...Array.from({ length: 17 }, () => globalRequest));
    await endsSoon(client);
    expect(slow.violations).toEqual(["a flood of requests"]);
  });
});

describe("once somebody is signed in", () => {
  test("a channel with packets of no or next to no size is refused, and so is one too many", async () => {
    using client = await keyedClient(server.port, "open");
    for (const packet of [0, 1, 255]) client.send(channelOpen("session", 7, { packet }));
    await until(() => count(client, 92) === 3);
    client.send(...Array.from({ length: 9 }, (_, sender) => channelOpen("session", sender)));
    await until(() => count(client, 91) === 8 && count(client, 92) === 4);
    client.send(bare(97, 0), channelOpen("session", 20));
    await until(() => count(client, 91) === 9);
    expect(client.isClosed()).toBe(false);
  });

  test("no packet is larger than RFC 4253 promises, whatever the client would take", async () => {
    using client = await keyedClient(server.port, "open");
    client.send(channelOpen("session", 0, { packet: 0xffff_ffff, window: 1_000_000 }), exec(0));
    await until(() => count(client, 99) === 1);
    channels.at(-1)?.write(Buffer.alloc(200_000));
    await until(() => sentBytes(client) === 200_000);
    const sizes = client.payloads.filter((payload) => payload[0] === 94).map((payload) => payload.length - 9);
    expect(Math.max(...sizes)).toBe(32_768);
  });

  test("data and EOF that come before the answer to a request are kept", async () => {
    using client = await keyedClient(server.port, "open");
    client.send(channelOpen("session", 0), exec(0, "later"), data(0, 1_000), data(0, 500), bare(96, 0));
    await until(() => count(client, 99) === 1);
    const channel = channels.at(-1);
    let bytes = 0;
    let hasEnded = false;
    channel?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    channel?.on("end", () => {
      hasEnded = true;
    });
    await until(() => hasEnded);
    expect(bytes).toBe(1_500);
  });

  test("stdout and stderr that both wait for a window go on, and nothing is said twice", async () => {
    using client = await keyedClient(server.port, "open");
    client.send(channelOpen("session", 0, { window: 10 }), exec(0));
    await until(() => count(client, 99) === 1);
    const channel = channels.at(-1);
    channel?.write("0123456789ABCDE");
    channel?.stderr.write("errors");
    await until(() => sentBytes(client) === 10);
    client.send(adjust(0, 5));
    await until(() => sentBytes(client) === 15);
    client.send(adjust(0, 100));
    await until(() => count(client, 95) === 1);
    await Bun.sleep(20);
    expect(sentBytes(client)).toBe(15);
    expect(text(client, 95)).toBe("errors");
  });

  test("requests to sign in are ignored in silence", async () => {
    using client = await keyedClient(server.port, "open");
    const before = server.events.length;
    client.send(
      new SshWriter().uint8(50).text("root").text("ssh-connection").text("none").toBuffer(),
      ping(3),
    );
    await until(() => count(client, 193) === 1);
    expect(server.events.length).toBe(before);
  });

  test("a ping is answered with its own bytes, and EXT_INFO has said so", async () => {
    using client = await keyedClient(server.port, "open");
    client.send(ping(64));
    await until(() => count(client, 193) === 1);
    const pong = new SshReader(client.payloads.find((payload) => payload[0] === 193) ?? Buffer.alloc(0));
    pong.uint8();
    expect(pong.string(100)).toEqual(Buffer.alloc(64, 7));
    const info = new SshReader(client.payloads.find((payload) => payload[0] === 7) ?? Buffer.alloc(0));
    expect([info.uint8(), info.uint32()]).toEqual([7, 3]);
    expect(Array.from({ length: 3 }, () => [info.text(64), info.text(64)])).toEqual([
      ["server-sig-algs", "ssh-ed25519"],
      ["publickey-hostbound@openssh.com", "0"],
      ["ping@openssh.com", "0"],
    ]);
  });

  test("a message that we do not know is answered with its number", async () => {
    using client = await keyedClient(server.port, "open");
    // After NEWKEYS with strict key exchange: SERVICE_REQUEST 0, USERAUTH_REQUEST 1.
    client.send(Buffer.of(127, 1, 2), Buffer.of(199), ping(1));
    await until(() => count(client, 193) === 1);
    const answered = client.payloads
      .filter((payload) => payload[0] === 3)
      .map((payload) => payload.readUInt32BE(1));
    expect(answered).toEqual([2, 3]);
  });
});

describe("memory stays flat and others are served", () => {
  // 100,000 of them; QF_FLOOD_ROUNDS=2000 makes a million.
  test("while channels are opened and refused without end", async () => {
    await using refusing = await startGuardedServer({ password: "right" });
    using client = await keyedClient(refusing.port, "open");
    const flood = Array.from({ length: 500 }, (_, sender) => channelOpen("session", sender));
    const rounds = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        const before = client.received.length;
        client.send(...flood);
        await until(() => client.received.length >= before + flood.length);
        client.payloads.length = 0;
        refusing.events.length = 0;
      }
    };
    await rounds(10);
    const each = Number(process.env.QF_FLOOD_ROUNDS ?? 200) / 4;
    expect(await leastGrowth(4, () => rounds(each))).toBeLessThan(12);
    expect(client.isClosed()).toBe(false);
  });

  test("while a client pings and never reads", async () => {
    using client = await keyedClient(server.port, "open");
    client.socket.pause();
    const flood = Array.from({ length: 200 }, () => ping(1_000));
    const grown = await growth(async () => {
      for (let round = 0; round < 150 && client.socket.writableLength < 4_000_000; round++) {
        client.send(...flood);
        await Bun.sleep(1);
      }
      await isServed();
    });
    const [socket] = [...server.sockets].filter((each) => each.remotePort === client.socket.localPort);
    expect(socket?.writableLength).toBeLessThan(3_000_000);
    expect(grown).toBeLessThan(96);
    expect(client.isClosed()).toBe(false);
    client.socket.resume();
    await until(() => count(client, 193) > 2_000);
  });

  test("while a client opens a window of 4 GiB and reads nothing", async () => {
    using client = await keyedClient(server.port, "open");
    client.send(channelOpen("session", 0, { window: 0xffff_ffff }), exec(0));
    await until(() => count(client, 99) === 1);
    client.socket.pause();
    const channel = channels.at(-1);
    let written = 0;
    const chunk = Buffer.alloc(32_768);
    const write = (): void => {
      while (channel?.writable === true && channel.write(chunk)) written += chunk.length;
    };
    channel?.on("drain", write);
    const grown = await growth(async () => {
      write();
      await Bun.sleep(300);
      await isServed();
    });
    expect(grown).toBeLessThan(64);
    expect(written).toBeLessThan(32 * 1024 * 1024);
    const before = written;
    client.socket.resume();
    await until(() => written > before + 64 * 1024 * 1024);
    channel?.removeListener("drain", write);
  });
});

/** A client with one command that reads nothing. */
async function withCommand(): Promise<RawClient> {
  const client = await keyedClient(server.port, "open");
  client.send(channelOpen("session", 0, { window: WINDOW }), exec(0));
  await until(() => count(client, 99) === 1);
  return client;
}

async function isServed(): Promise<void> {
  using other = await withCommand();
  expect(other.isClosed()).toBe(false);
}

function count(client: RawClient, type: number): number {
  return client.received.filter((each) => each === type).length;
}

function sentBytes(client: RawClient): number {
  const sent = client.payloads.filter((payload) => payload[0] === 94);
  return sent.reduce((sum, payload) => sum + payload.length - 9, 0);
}

function text(client: RawClient, type: number): string {
  return client.payloads
    .filter((payload) => payload[0] === type)
    .map((payload) => payload.toString("latin1", type === 95 ? 13 : 9))
    .join("");
}

async function endsSoon(client: RawClient): Promise<void> {
  expect(await settles(client.closed)).toBe(true);
}
