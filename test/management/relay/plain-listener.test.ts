import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { makeHello } from "../../../src/fabric/hello.ts";
import type { RelayStream } from "../../../src/fabric/relay-stream.ts";
import { deletePeer } from "../../../src/management/db/tables/peers.ts";
import { listenPlain } from "../../../src/management/relay/plain-listener.ts";
import { RELAY_CREDIT_MAX } from "../../../src/wire/relay.ts";
import { RELAY_LINE_BYTES_MAX } from "../../../src/wire/relay-plain.ts";
import { aPeerRow, type TestPeer } from "../../support/peer-row.ts";
import { openRelayLab, type RelayLab } from "../../support/relay-lab.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { until } from "../../support/until.ts";

let folder: string;
let management: TestManagement;
let relay: RelayLab;
let machine: TestPeer;
let device: TestPeer;
let stranger: TestPeer;
let servers: string;
const sockets: Socket[] = [];
const MB = 1024 * 1024;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "qf-test-"));
  management = await startTestManagement(join(folder, "data"));
  const laptops = await management.addGroup("Laptops");
  servers = await management.addGroup("Servers");
  machine = await aPeerRow(management, { name: "web1", kind: "machine", groups: [servers] });
  device = await aPeerRow(management, { name: "laptop", kind: "device", groups: [laptops] });
  stranger = await aPeerRow(management, { name: "other", kind: "device", groups: [] });
  await management.addPolicy({ protocol: "tcp", ports: ["22"], sources: [laptops], destinations: [servers] });
  relay = openRelayLab(management, { streamsPerSourceMax: 4, recheckMs: 50 });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await relay.close();
  await management.close();
  rmSync(folder, { recursive: true });
});

const GREETING = "hello from web1\n";
const greet = (stream: RelayStream) => void stream.write(GREETING);

async function dial(...args: Parameters<RelayLab["plainDial"]>): Promise<Socket> {
  const socket = await relay.plainDial(...args);
  sockets.push(socket);
  return socket;
}

/** A stream on which the machine has answered. */
async function dialled(...args: Parameters<RelayLab["plainDial"]>): Promise<Socket> {
  const socket = await dial(...args);
  await until("the greeting", () => socket.readableLength > 0 || socket.read(0) !== null);
  expect(String(socket.read(GREETING.length))).toBe(GREETING);
  return socket;
}

async function readAll(socket: Socket): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(socket));
}

const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

test("a connection carries bytes both ways, unharmed and metered", async () => {
  const data = randomBytes(20 * MB);
  await relay.offer(machine, (incoming) => {
    greet(incoming);
    incoming.pipe(incoming);
  });
  const socket = await dial(device, machine);
  const parts: Buffer[] = [];
  const bytes = () => parts.reduce((sum, { length }) => sum + length, 0);
  socket.on("data", (part: Buffer) => void parts.push(part)).resume();
  socket.write(data);
  await until("all of it", () => bytes() === data.length + GREETING.length, 15_000);
  expect(relay.hub.streams(management.accountId)).toMatchObject([
    {
      source: device.row.id,
      sourceAddress: "127.0.0.1",
      bytesFromClient: data.length,
      bytesFromAgent: data.length + GREETING.length,
    },
  ]);
  expect(sha256(Buffer.concat(parts).subarray(GREETING.length))).toBe(sha256(data));
  socket.end();
  await until("the end", () => relay.hub.load().streams === 0);
  expect(relay.hub.load()).toEqual({ links: 1, streams: 0, waitingBytes: 0 });
}, 30_000);

test("bytes that come with the line are part of the stream", async () => {
  const heard: Buffer[] = [];
  await relay.offer(machine, (incoming) => {
    greet(incoming);
    incoming.on("data", (part: Buffer) => void heard.push(part));
  });
  const socket = await dial(device, machine);
  socket.write("SSH-2.0-early\r\n");
  await until("the bytes", () => Buffer.concat(heard).toString() === "SSH-2.0-early\r\n");
});

test("what the machine has sent before its end is read to the end", async () => {
  const data = randomBytes(3 * MB);
  await relay.offer(machine, (incoming) => void incoming.end(data));
  const socket = await dial(device, machine);
  expect(sha256(await readAll(socket))).toBe(sha256(data));
  await until("the end", () => relay.hub.load().streams === 0);
});

test("what the client has sent before its end is read to the end", async () => {
  const data = randomBytes(3 * MB);
  const heard: Buffer[] = [];
  let hasEnded = false;
  await relay.offer(machine, (incoming) => {
    greet(incoming);
    incoming
      .on("data", (part: Buffer) => void heard.push(part))
      .on("end", () => {
        hasEnded = true;
      });
  });
  const socket = await dial(device, machine);
  socket.end(data);
  await until("the end", () => hasEnded);
  expect(sha256(Buffer.concat(heard))).toBe(sha256(data));
});

describe("is closed, and told nothing:", () => {
  let streams = 0;
  beforeEach(async () => {
    streams = 0;
    await relay.offer(machine, (stream) => {
      streams += 1;
      greet(stream);
    });
  });

  async function isClosed(socket: Socket): Promise<void> {
    const read = await readAll(socket).catch(() => Buffer.alloc(0));
    expect([read.length, streams, relay.hub.load().streams]).toEqual([0, 0, 0]);
  }

  async function say(text: string): Promise<Socket> {
    const socket = connect(relay.plainPort, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => {}).write(text);
    return socket;
  }

  test("a device that no rule lets reach the machine", async () => {
    await isClosed(await dial(stranger, machine));
  });

  test("a key that nobody registered", async () => {
    await isClosed(await dial({ ...device, key: generateEd25519() }, machine));
  });

  test("a hello that was read on its way, by whoever has not the device's key", async () => {
    await isClosed(await dial(device, machine, { proofKey: generateEd25519() }));
  });

  test("a hello taken before", async () => {
    const scope = { accountId: management.accountId, origin: relay.origin };
    const hello = makeHello({
      ...{ deviceKey: device.key, scope, source: device.row.id, target: machine.row.id, port: 22 },
      nowSeconds: Math.floor(Date.now() / 1000),
    });
    const first = await relay.dial(device, machine, { hello });
    first.destroy();
    await until("the first's end", () => relay.hub.load().streams === 0);
    streams = 0;
    await isClosed(await dial(device, machine, { hello }));
  });

  test("a machine that is not there", async () => {
    const away = await aPeerRow(management, { name: "away", kind: "machine", groups: [servers] });
    await isClosed(await dial(device, away));
  });

  test("a line that is none", async () => {
    await isClosed(await say("GET / HTTP/1.1\r\n\r\n"));
  });

  test("a line without an end", async () => {
    await isClosed(await say("x".repeat(RELAY_LINE_BYTES_MAX)));
  });

  test("a connection that sends no whole line in time", async () => {
    await isClosed(await say("QUFABRIC-RELAY/1 "));
  }, 20_000);
});

test("a device has as many streams as on WebSockets, and no more", async () => {
  await relay.offer(machine, greet);
  for (let i = 0; i < 4; i++) await dialled(device, machine);
  expect((await readAll(await dial(device, machine)).catch(() => "")).length).toBe(0);
  expect(relay.hub.load().streams).toBe(4);
});

test("a rule that goes takes its streams with it", async () => {
  await relay.offer(machine, greet);
  const socket = await dialled(device, machine);
  const { accountId } = management;
  const initiator = { id: "test", name: "test", email: "" };
  await management.context.store.change({ accountId, initiator, affectsMaps: true }, (tx) =>
    deletePeer(tx, device.row),
  );
  expect((await readAll(socket)).length).toBe(0);
  expect(relay.hub.load().streams).toBe(0);
});

test("a machine whose link breaks, and a relay that stops, end the connections", async () => {
  const link = await relay.offer(machine, greet);
  const first = await dialled(device, machine);
  link.close();
  expect((await readAll(first)).length).toBe(0);
  await relay.offer(machine, greet);
  const second = await dialled(device, machine);
  await relay.hub.close();
  expect((await readAll(second)).length).toBe(0);
});

test("a reader that stops keeps a window waiting, not what is sent to it", async () => {
  let sentBytes = 0;
  let isFull = false;
  await relay.offer(machine, (stream) => {
    const chunk = Buffer.alloc(64 * 1024);
    const more = () => {
      isFull = false;
      while (!stream.destroyed) {
        sentBytes += chunk.length;
        if (!stream.write(chunk)) break;
      }
      isFull = true;
    };
    stream.on("drain", more);
    more();
  });
  const socket = await dial(device, machine);
  let seen = -1;
  // The kernel's own buffers hold some megabytes; once they are full nothing moves.
  await until("a stand", () => {
    const stands = isFull && seen === sentBytes && relay.hub.load().waitingBytes > 0;
    seen = sentBytes;
    return stands;
  });
  expect(relay.hub.load().waitingBytes).toBeLessThanOrEqual(RELAY_CREDIT_MAX);
  socket.destroy();
  await until("the end", () => relay.hub.load().streams === 0);
  expect(relay.hub.load().waitingBytes).toBe(0);
}, 20_000);

test("a machine that stops reading stops the client, within what counts as waiting", async () => {
  let incoming: RelayStream | undefined;
  await relay.offer(machine, (stream) => {
    incoming = stream;
    greet(stream);
  });
  const socket = await dialled(device, machine);
  const sent = randomBytes(32 * MB);
  socket.write(sent);
  await until("a stand", () => relay.hub.load().waitingBytes > 0);
  expect(relay.hub.load().waitingBytes).toBeLessThanOrEqual(512 * 1024);
  expect(relay.hub.load().streams).toBe(1);
  const hash = createHash("sha256");
  let heardBytes = 0;
  incoming?.on("data", (part: Buffer) => {
    hash.update(part);
    heardBytes += part.length;
  });
  await until("all of it", () => heardBytes === sent.length, 15_000);
  expect(hash.digest("hex")).toBe(sha256(sent));
}, 30_000);

test("before the relay is there connections are closed", async () => {
  const plain = listenPlain({ hostname: "127.0.0.1", port: 0 });
  const socket = connect(plain.port, "127.0.0.1").on("error", () => {});
  expect((await readAll(socket).catch(() => "")).length).toBe(0);
  plain.close();
});
