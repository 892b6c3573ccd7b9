/** Every message in every state of a connection on which somebody is signed in, and how long one may be. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import ssh2 from "ssh2";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { ALGORITHMS } from "../../src/sshcore/algorithms.ts";
import { PERMITTED } from "../../src/sshcore/permitted.ts";
import { type GuardedServer, startGuardedServer } from "../support/guarded-server.ts";
import { channelOpen, kexInit, keyedClient, plausible } from "../support/raw-ssh.ts";
import { settles, until } from "../support/until.ts";

const TYPES = Array.from({ length: 255 }, (_, index) => index + 1);
const PACKET_MAX = 100_000;
const PING = new SshWriter().uint8(192).string(Buffer.alloc(4)).toBuffer();

const login = { host: "127.0.0.1", username: "root", password: "right" };

let server: GuardedServer;
/** Lengths of commands that came. */
const commands: number[] = [];
beforeAll(async () => {
  server = await startGuardedServer({
    password: "right",
    limits: { lingerMs: 200, packetBytesMax: PACKET_MAX },
    onSession: (session) => {
      session.on("exec", (accept, _reject, { command }) => {
        commands.push(command.length);
        accept();
      });
    },
  });
});
afterAll(() => server[Symbol.asyncDispose]());

/** What a client of several threads may have sent after its KEXINIT. */
const CONNECTION = [80, 81, 82, 90, ...range(92, 100)];
/** Those that end the connection; the rest is taken, or answered with UNIMPLEMENTED. */
const ENDING = {
  open: [1, 5, 6, 7, 21, ...range(22, 49), 51, 52, 53, 60, 61],
  rekey: TYPES.filter((type) => ![2, 3, 4, 30, ...CONNECTION].includes(type)),
  "rekey-newkeys": TYPES.filter((type) => ![2, 3, 4, 21, ...CONNECTION].includes(type)),
};

const REACH: Record<keyof typeof ENDING, readonly Buffer[]> = {
  open: [],
  rekey: [kexInit()],
  "rekey-newkeys": [kexInit(), plausible(30)],
};

describe.each(Object.keys(ENDING) as (keyof typeof ENDING)[])("in state %s", (state) => {
  test("every message out of its place ends the connection, and nothing after it is looked at", async () => {
    const wrong: string[] = [];
    for (const type of ENDING[state]) {
      using client = await keyedClient(server.port, "open");
      const before = server.events.length;
      // What an attacker would want to be taken next.
      client.send(...REACH[state], plausible(type), channelOpen("session", 0), exec(0, "id"));
      if (!(await settles(client.closed))) wrong.push(`${type}: still open`);
      if (server.events.length !== before) wrong.push(`${type}: ${server.events.slice(before).join()}`);
    }
    expect(wrong).toEqual([]);
  });
});

test("in state open every other message leaves the connection as it is", async () => {
  const wrong: string[] = [];
  const kept = TYPES.filter((type) => !ENDING.open.includes(type) && type !== 20);
  const known = new Set(PERMITTED.server.open);
  for (const type of kept) {
    // A confirmation, and data, for a channel that there is not, are judged in channel-bounds.test.ts.
    if (type === 91) continue;
    using client = await keyedClient(server.port, "open");
    client.send(bodyOf(type), PING);
    const isAnswered = await until(() => client.received.includes(193));
    if (!isAnswered || client.isClosed()) wrong.push(`${type}: ended`);
    if (client.received.includes(3) !== !known.has(type)) wrong.push(`${type}: UNIMPLEMENTED or not`);
  }
  expect(wrong).toEqual([]);
});

describe("a packet", () => {
  test("may be as long as the bound once somebody is signed in", async () => {
    using client = await keyedClient(server.port, "open");
    client.send(channelOpen("session", 0), exec(0, "x".repeat(90_000)));
    expect(await until(() => commands.includes(90_000))).toBe(true);
  });

  test.each([...ALGORITHMS.cipher])("may be as long under the next keys of %s", async (cipher) => {
    const client = new ssh2.Client();
    const ready = new Promise<void>((resolve, reject) => {
      client.once("ready", () => resolve()).once("error", reject);
    });
    const { port } = server;
    client.connect({ ...login, port, algorithms: { ...ALGORITHMS, cipher: [cipher] } as ssh2.Algorithms });
    await ready;
    await new Promise<void>((resolve) => server.connections.at(-1)?.rekey(() => resolve()));
    const length = 80_000 + cipher.length;
    client.exec("x".repeat(length), () => {});
    expect(await until(() => commands.includes(length))).toBe(true);
    client.destroy();
  });

  test("beyond the bound ends the connection", async () => {
    using client = await keyedClient(server.port, "open");
    client.send(channelOpen("session", 0), exec(0, "x".repeat(PACKET_MAX)));
    expect(await settles(client.closed)).toBe(true);
    expect(commands).not.toContain(PACKET_MAX);
  });

  test("of data is no longer than its channel takes, however long packets may be", async () => {
    using client = await keyedClient(server.port, "open");
    const before = server.violations.length;
    const data = new SshWriter().uint8(94).uint32(0).string(Buffer.alloc(32_769)).toBuffer();
    client.send(channelOpen("session", 0), exec(0, "sink"), data);
    expect(await settles(client.closed)).toBe(true);
    expect(server.violations.slice(before).join()).toContain("packet size");
  });

  test("of a stranger stays short", async () => {
    for (const stage of ["keyed", "service", "failed"] as const) {
      using client = await keyedClient(server.port, stage);
      client.send(new SshWriter().uint8(2).string(Buffer.alloc(35_000)).toBuffer());
      expect(await settles(client.closed)).toBe(true);
    }
  });
});

/** A body that refers to no channel, so that only the message itself counts. */
function bodyOf(type: number): Buffer {
  if (type === 93) return new SshWriter().uint8(93).uint32(7).uint32(1).toBuffer();
  if (type === 98) return new SshWriter().uint8(98).uint32(7).text("exec").bool(false).text("id").toBuffer();
  return type === 94 ? new SshWriter().uint8(94).uint32(7).text("data").toBuffer() : plausible(type);
}

function exec(recipient: number, command: string): Buffer {
  return new SshWriter().uint8(98).uint32(recipient).text("exec").bool(true).text(command).toBuffer();
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
