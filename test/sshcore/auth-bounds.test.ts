import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";
import {
  kexInit,
  keyedClient,
  plainPacket,
  plausible,
  type RawClient,
  rawClient,
  type Stage,
} from "../support/raw-ssh.ts";
import { settles, until } from "../support/until.ts";

let server: GuardedServer;
beforeAll(async () => {
  server = await startGuardedServer({ password: "right", limits: { lingerMs: 200 } });
});
afterAll(() => server[Symbol.asyncDispose]());

const none = (name: string | Buffer, service = "ssh-connection", method = "none"): Buffer =>
  new SshWriter().uint8(50).string(Buffer.from(name)).text(service).text(method).toBuffer();
const service = (name: string): SshWriter => new SshWriter().uint8(5).text(name);
const answers = (count: number): Buffer =>
  new SshWriter()
    .uint8(61)
    .uint32(count)
    .raw(Buffer.alloc(4 * Math.min(count, 100)))
    .toBuffer();
const promptMe = new SshWriter().uint8(50).text("root").text("ssh-connection");
const keyboard = promptMe.text("keyboard-interactive").text("").text("").toBuffer();
const repeat = (payload: Buffer, count: number): Buffer[] => Array.from({ length: count }, () => payload);

/** Each row is one step from something that is taken. */
const ROWS: readonly {
  readonly name: string;
  readonly stage: Stage;
  readonly say: readonly Buffer[];
  readonly what: string;
}[] = [
  { name: "more chatter than its bound", stage: "keyed", say: repeat(plausible(2), 33), what: "chatter" },
  {
    name: "chatter of three kinds",
    stage: "failed",
    say: [2, 3, 4].flatMap((type) => repeat(plausible(type), 11)),
    what: "chatter",
  },
  { name: "megabytes", stage: "failed", say: repeat(big(2, 33_000), 32), what: "too much" },
  { name: "an empty message", stage: "failed", say: [Buffer.alloc(0)], what: "empty" },
  {
    name: "a second SERVICE_REQUEST",
    stage: "service",
    say: [plausible(5)],
    what: "message 5 in state auth",
  },
  {
    name: "two SERVICE_REQUESTs at once",
    stage: "keyed",
    say: [plausible(5), plausible(5)],
    what: "message 5",
  },
  { name: "another service", stage: "keyed", say: [service("ssh-connection").toBuffer()], what: "a service" },
  {
    name: "bytes after the service",
    stage: "keyed",
    say: [service("ssh-userauth").bool(true).toBuffer()],
    what: "malformed",
  },
  { name: "a second EXT_INFO", stage: "keyed", say: [plausible(7), plausible(7)], what: "message 7" },
  { name: "EXT_INFO after chatter", stage: "keyed", say: [plausible(2), plausible(7)], what: "message 7" },
  {
    name: "EXT_INFO without end",
    stage: "keyed",
    say: [new SshWriter().uint8(7).uint32(0xffff_ffff).toBuffer()],
    what: "extensions",
  },
  { name: "new keys before signing in", stage: "failed", say: [kexInit()], what: "message 20" },
  {
    name: "a user name of 256 bytes",
    stage: "failed",
    say: [none("a".repeat(256))],
    what: "malformed message 50",
  },
  { name: "a user name with NUL", stage: "failed", say: [none("ro\0ot")], what: "malformed message 50" },
  {
    name: "a user name that is not UTF-8",
    stage: "failed",
    say: [none(Buffer.of(0xc3, 0x28))],
    what: "malformed message 50",
  },
  {
    name: "a long service",
    stage: "failed",
    say: [none("root", "s".repeat(65))],
    what: "malformed message 50",
  },
  {
    name: "a long method",
    stage: "failed",
    say: [none("root", "ssh-connection", "m".repeat(65))],
    what: "malformed message 50",
  },
  {
    name: "a request cut short",
    stage: "failed",
    say: [Buffer.of(50, 0, 0, 0, 9, 1)],
    what: "malformed message 50",
  },
  {
    name: "answers that nobody asked for",
    stage: "failed",
    say: [answers(1)],
    what: "message 61 in state auth",
  },
];

describe("before authentication the guard ends the connection for", () => {
  test.each([...ROWS])("$name", async ({ stage, say, what }) => {
    const before = { events: eventsOfNote(), violations: server.violations.length };
    using client = await keyedClient(server.port, stage);
    client.send(...say);
    await endsSoon(client);
    expect(server.violations.slice(before.violations).join()).toContain(what);
    expect(eventsOfNote()).toBe(before.events);
  });

  test("too many answers to a prompt, or others than it takes", async () => {
    for (const say of [answers(17), answers(0xffff_ffff), Buffer.of(61, 0, 0, 0, 1)]) {
      using client = await keyedClient(server.port, "failed");
      client.send(keyboard);
      await until(() => client.received.includes(60));
      client.send(say);
      await endsSoon(client);
    }
  });

  test("more requests than its bound, and requests ahead of an answer", async () => {
    using client = await keyedClient(server.port, "failed");
    for (let count = 0; !client.isClosed(); count++) {
      expect(count).toBeLessThan(45);
      const answered = client.received.length;
      client.send(none("root"));
      await until(() => client.received.length > answered || client.isClosed());
    }
    expect(server.violations.at(-1)).toBe("too many requests to sign in");
    await using slow = await startGuardedServer({
      limits: { lingerMs: 200 },
      onConnection: (connection) =>
        void connection.removeAllListeners("authentication").on("authentication", () => {}),
    });
    using eager = await keyedClient(slow.port, "service");
    eager.send(none("root"), none("root"));
    await endsSoon(eager);
    expect(slow.violations.at(-1)).toContain("a second request");
  });

  test("the service asked for without end", async () => {
    using client = await keyedClient(server.port, "failed");
    for (let count = 0; !client.isClosed(); count++) {
      expect(count).toBeLessThan(45);
      const answered = client.received.length;
      client.send(plausible(5));
      await until(() => client.received.length > answered || client.isClosed());
    }
    expect(server.violations.at(-1)).toBe("too many requests to sign in");
  });

  test("a NEWKEYS with more in it", async () => {
    using client = await rawClient(server.port);
    client.send(kexInit(), plausible(30), Buffer.of(21, 0));
    await endsSoon(client);
    expect(server.violations.at(-1)).toBe("a malformed NEWKEYS");
  });

  test("a KEXINIT that is longer than any client's", async () => {
    using client = await rawClient(server.port);
    client.send(kexInit({ kex: `curve25519-sha256,${"x".repeat(60)},`.repeat(300) }));
    await endsSoon(client);
    expect(server.violations.at(-1)).toBe("a KEXINIT that is too long");
  });

  test("a packet beyond 35,000 bytes, before and after keys", async () => {
    using client = await rawClient(server.port);
    client.write(plainPacket(big(20, 40_000)));
    await endsSoon(client);
    using keyed = await keyedClient(server.port, "failed");
    keyed.write(Buffer.from([0, 1, 0, 0, ...Buffer.alloc(64)]));
    await endsSoon(keyed);
  });

  test("a sign-in that takes longer than the grace time, wherever it stalls", async () => {
    await using hasty = await startGuardedServer({ limits: { graceMs: 150, lingerMs: 50 } });
    using first = await rawClient(hasty.port);
    using kex = await rawClient(hasty.port);
    kex.send(kexInit());
    using auth = await keyedClient(hasty.port, "failed");
    await Promise.all([first, kex, auth].map(endsSoon));
    await until(() => hasty.sockets.size === 0);
  });

  test("and it does not stay with a peer that neither reads nor closes", async () => {
    await using short = await startGuardedServer({ limits: { lingerMs: 100 } });
    const socket = connect({ host: "127.0.0.1", port: short.port, allowHalfOpen: true });
    socket.on("error", () => {}).write("SSH-2.0-raw\r\n");
    socket.write(plainPacket(plausible(90)));
    socket.pause();
    await until(() => short.violations.length === 1);
    await until(() => short.sockets.size === 0);
    socket.destroy();
  });
});

describe("the identification line", () => {
  test.each([
    { name: "of SSH 1.99", line: "SSH-1.99-OpenSSH_3.9\r\n" },
    { name: "of SSH 1", line: "SSH-1.5-1.2.27\r\n" },
    { name: "with control characters", line: "SSH-2.0-a\x1b[31m\r\n" },
    { name: "with bytes beyond ASCII", line: "SSH-2.0-\xff\r\n" },
    { name: "without a name", line: "SSH-2.0-\r\n" },
    { name: "that is HTTP", line: "GET / HTTP/1.1\r\n" },
    { name: "after another line", line: "hello\r\nSSH-2.0-raw\r\n" },
    { name: "of 256 bytes", line: `SSH-2.0-${"a".repeat(246)}\r\n` },
    { name: "that does not end", line: "SSH-2.0-".padEnd(300, "a") },
    { name: "with NUL", line: "SSH-2.0-a\0b\r\n" },
  ])("$name ends the connection", async ({ line }) => {
    using client = await rawClient(server.port, "");
    client.write(Buffer.from(line, "latin1"));
    client.send(kexInit());
    await endsSoon(client);
    expect(client.received).not.toContain(31);
  });

  test.each([
    { name: "of 255 bytes", line: `SSH-2.0-${"a".repeat(245)}\r\n` },
    { name: "with a comment", line: "SSH-2.0-raw a comment\r\n" },
    { name: "without CR, as old clients send it", line: "SSH-2.0-raw\n" },
  ])("$name is taken, in one piece and byte by byte", async ({ line }) => {
    for (const pieces of [[line], [...line]]) {
      using client = await rawClient(server.port, "");
      for (const piece of pieces) {
        client.write(piece);
        if (pieces.length > 1) await Bun.sleep(0);
      }
      client.send(kexInit(), plausible(30));
      await until(() => client.received.includes(31));
    }
  });
});

function big(type: number, bytes: number): Buffer {
  return new SshWriter().uint8(type).string(Buffer.alloc(bytes)).toBuffer();
}

function eventsOfNote(): number {
  return server.events.filter((event) => event !== "authentication").length;
}

async function endsSoon(client: RawClient): Promise<void> {
  expect(await settles(client.closed)).toBe(true);
}
