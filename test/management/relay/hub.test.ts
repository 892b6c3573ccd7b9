import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { makeHello } from "../../../src/fabric/hello.ts";
import { offerToRelay } from "../../../src/fabric/relay-client.ts";
import { RELAY_LOSSES, type RelayStream } from "../../../src/fabric/relay-stream.ts";
import { deletePeer, updatePeer } from "../../../src/management/db/tables/peers.ts";
import { createAdmission } from "../../../src/management/relay/admission.ts";
import {
  creditFrame,
  encodeRelayFrame,
  RELAY_CREDIT_INITIAL,
  RELAY_CREDIT_MAX,
  RELAY_FRAME,
  RELAY_FRAME_BYTES_MAX,
  RELAY_PROOF_HEADER,
} from "../../../src/wire/relay.ts";
import { aPeerRow, type TestPeer } from "../../support/peer-row.ts";
import { openRelayLab, type RelayLab } from "../../support/relay-lab.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { recordTurns } from "../../support/turns.ts";
import { until } from "../../support/until.ts";

let folder: string;
let management: TestManagement;
let relay: RelayLab;
let machine: TestPeer;
let device: TestPeer;
let stranger: TestPeer;
let laptops: string;
let servers: string;
const MB = 1024 * 1024;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "qf-test-"));
  management = await startTestManagement(join(folder, "data"));
  [laptops, servers] = [await management.addGroup("Laptops"), await management.addGroup("Servers")];
  machine = await aPeerRow(management, { name: "web1", kind: "machine", groups: [servers] });
  device = await aPeerRow(management, { name: "laptop", kind: "device", groups: [laptops] });
  stranger = await aPeerRow(management, { name: "other", kind: "device", groups: [] });
  await management.addPolicy({ protocol: "tcp", ports: ["22"], sources: [laptops], destinations: [servers] });
  relay = openRelayLab(management, { streamsPerSourceMax: 4, recheckMs: 50 });
});

afterEach(async () => {
  await relay.close();
  await management.close();
  rmSync(folder, { recursive: true });
});

const greet = (stream: RelayStream) => void stream.write("hello from web1\n");

async function readAll(stream: RelayStream): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream));
}

test("a stream carries bytes both ways, unharmed and metered", async () => {
  const data = randomBytes(5 * MB);
  await relay.offer(machine, (incoming) => {
    greet(incoming);
    incoming.pipe(incoming);
  });
  const echoed = await relay.dial(device, machine);
  const parts: Buffer[] = [];
  const bytes = () => parts.reduce((sum, { length }) => sum + length, 0);
  echoed.on("data", (part: Buffer) => void parts.push(part));
  echoed.write(data);
  await until("all of it", () => bytes() === data.length + 16, 15_000);
  expect(relay.hub.streams(management.accountId)).toMatchObject([
    { source: device.row.id, bytesFromClient: data.length, bytesFromAgent: data.length + 16 },
  ]);
  echoed.end();
  const back = Buffer.concat(parts);
  expect(back.subarray(0, 16).toString()).toBe("hello from web1\n");
  expect(createHash("sha256").update(back.subarray(16)).digest("hex")).toBe(
    createHash("sha256").update(data).digest("hex"),
  );
  await until("the end", () => relay.hub.load().streams === 0);
  expect(relay.hub.load()).toMatchObject({ links: 1, waitingBytes: 0 });
}, 20_000);

test("a stream costs one turn to the relay and one over the machine's link, and no more", async () => {
  const { port } = new URL(relay.origin);
  const [atClient, atMachine] = [await recordTurns(Number(port)), await recordTurns(Number(port))];
  const { promise: isUp, resolve: onUp } = Promise.withResolvers<void>();
  const offer = offerToRelay({
    origin: `http://127.0.0.1:${atMachine.port}`,
    proof: relay.proofOf(machine),
    onUp,
    onDown: () => {},
    onStream: (_open, stream) => {
      stream.on("error", () => {});
      greet(stream);
      return true;
    },
  });
  await isUp;
  await until("the link", () => relay.hub.hasLink(machine.row.id));
  atMachine.turns.length = 0;
  // What it says first is SSH's banner: it comes with the answer to the request that opens the stream.
  const stream = await relay.dial(device, machine, { at: `http://127.0.0.1:${atClient.port}` });
  expect(atClient.turns).toEqual(["up", "down"]);
  expect(atMachine.turns).toEqual(["down", "up"]);
  stream.destroy();
  offer.close();
  for (const one of [atClient, atMachine]) one.close();
});

test("a ping is carried where SSH would be", async () => {
  await relay.offer(machine, greet);
  const stream = await relay.dial(device, machine, { port: 7 });
  expect(stream.destroyed).toBe(false);
  stream.destroy();
});

describe("is refused:", () => {
  beforeEach(async () => {
    await relay.offer(machine, greet);
  });

  test("a device that no rule lets reach the machine", async () => {
    await expect(relay.dial(stranger, machine)).rejects.toThrow(RELAY_LOSSES.refused);
  });

  test("a ping of a device that no rule lets reach the machine", async () => {
    await expect(relay.dial(stranger, machine, { port: 7 })).rejects.toThrow(RELAY_LOSSES.refused);
  });

  test("a device that the machine knows, and that a drop keeps from its SSH port", async () => {
    const sides = { sources: [laptops], destinations: [servers] };
    await management.addPolicy({ ...sides, action: "drop", protocol: "tcp", ports: ["22"] });
    await expect(relay.dial(device, machine)).rejects.toThrow(RELAY_LOSSES.refused);
  });

  test("a key that nobody registered", async () => {
    const unknown = { ...device, key: generateEd25519() };
    await expect(relay.dial(unknown, machine)).rejects.toThrow("cannot be reached");
  });

  test("a hello that was read on its way, by whoever has not the device's key", async () => {
    await expect(relay.dial(device, machine, { proofKey: generateEd25519() })).rejects.toThrow("reached");
  });

  test("a hello taken before", async () => {
    const scope = { accountId: management.accountId, origin: relay.origin };
    const nowSeconds = Math.floor(Date.now() / 1000);
    const { key: deviceKey, row } = device;
    const hello = makeHello({
      deviceKey,
      scope,
      source: row.id,
      target: machine.row.id,
      port: 22,
      nowSeconds,
    });
    (await relay.dial(device, machine, { hello })).destroy();
    await expect(relay.dial(device, machine, { hello })).rejects.toThrow("does not let");
  });

  test.each([80, 5432, 23])("port %d, which is not SSH's", async (port) => {
    await expect(relay.dial(device, machine, { port })).rejects.toThrow("does not let");
  });

  test("a hello of another time", async () => {
    const timeSeconds = Math.floor(Date.now() / 1000) - 120;
    await expect(relay.dial(device, machine, { timeSeconds })).rejects.toThrow("does not let");
  });

  test("a machine of another account, as one that is not there", async () => {
    const foreign = { ...machine, row: { ...machine.row, id: "z".repeat(20) } };
    await expect(relay.dial(device, foreign)).rejects.toThrow("does not let");
  });

  test("a device as target", async () => {
    await expect(relay.dial(device, stranger)).rejects.toThrow("does not let");
  });

  test("a page in a browser, and who is no WebSocket", async () => {
    const plain = await fetch(`${relay.origin}/client/v1/relay`);
    expect(plain.status).toBe(426);
    const headers = { upgrade: "websocket", origin: "http://evil.example" };
    const page = await fetch(`${relay.origin}/client/v1/relay`, { headers }).catch(() => undefined);
    expect(page?.status ?? 403).toBe(403);
  });

  test("a fifth stream of one device, when four are the most", async () => {
    const open = await Promise.all([1, 2, 3, 4].map(() => relay.dial(device, machine)));
    await expect(relay.dial(device, machine)).rejects.toThrow("no room");
    open[0]?.destroy();
    await until("room", () => relay.hub.load().streams === 3);
    await relay.dial(device, machine);
  });
});

test("a machine without a link is said to be absent", async () => {
  await expect(relay.dial(device, machine)).rejects.toThrow(RELAY_LOSSES.absent);
});

test("a device's key offers no machine", async () => {
  const link = await relay.offer(device, greet);
  expect(link.isUp()).toBe(false);
  expect(relay.hub.hasLink(device.row.id)).toBe(false);
});

test("what a machine showed once offers nothing to who read it on its way", async () => {
  const proof = relay.proofOf(machine);
  const own = await relay.offer(machine, greet, proof);
  expect(own.isUp()).toBe(true);
  const replayed = await relay.offer(machine, greet, proof);
  expect(replayed.isUp()).toBe(false);
  expect(own.isUp()).toBe(true);
});

test("a newer link of a machine takes the place of the older", async () => {
  const first = await relay.offer(machine, greet);
  const second = await relay.offer(machine, greet);
  await until("the older to go", () => !first.isUp());
  expect(second.isUp()).toBe(true);
  (await relay.dial(device, machine)).destroy();
});

test("a rule that goes takes its streams with it", async () => {
  await relay.offer(machine, greet);
  const stream = await relay.dial(device, machine);
  const { accountId } = management;
  const initiator = { id: "test", name: "test", email: "" };
  await management.context.store.change({ accountId, initiator, affectsMaps: true }, (tx) =>
    deletePeer(tx, device.row),
  );
  await expect(readAll(stream)).rejects.toThrow("does not let");
});

test.each(["blocked", "pending"] as const)(
  "a %s machine gets no stream and offers itself to nobody",
  async (status) => {
    await relay.offer(machine, greet);
    const stream = await relay.dial(device, machine);
    const { accountId } = management;
    const initiator = { id: "test", name: "test", email: "" };
    await management.context.store.change({ accountId, initiator, affectsMaps: true }, (tx) =>
      updatePeer(tx, accountId, machine.row.id, { status }),
    );
    await expect(readAll(stream)).rejects.toThrow("does not let");
    await expect(relay.dial(device, machine)).rejects.toThrow("does not let");
    const admission = createAdmission({ ...management.context, origin: relay.origin });
    const headers = new Headers({ [RELAY_PROOF_HEADER]: relay.proofOf(machine) });
    expect(await admission.serve(headers)).toEqual({ ok: false, reset: "refused", source: machine.row.id });
    expect(await admission.isMachine(machine.row.id)).toBe(false);
  },
);

test("a machine whose link breaks ends its streams at their clients", async () => {
  const link = await relay.offer(machine, greet);
  const stream = await relay.dial(device, machine);
  link.close();
  await expect(readAll(stream)).rejects.toThrow("closed the connection");
  expect(relay.hub.load()).toEqual({ streams: 0, links: 0, waitingBytes: 0 });
});

test("a relay that stops says so", async () => {
  await relay.offer(machine, greet);
  const stream = await relay.dial(device, machine);
  const ended = readAll(stream).catch((error: Error) => error.message);
  await relay.hub.close();
  expect(await ended).toContain("restarting");
});

test("a reader that stops keeps a window waiting, not what is sent to it", async () => {
  let sentBytes = 0;
  await relay.offer(machine, (stream) => {
    const chunk = Buffer.alloc(64 * 1024);
    const more = () => {
      while (!stream.destroyed) {
        sentBytes += chunk.length;
        if (!stream.write(chunk)) break;
      }
    };
    stream.on("drain", more);
    more();
  });
  const stream = await relay.dial(device, machine);
  let readBytes = 0;
  stream.on("data", (chunk: Buffer) => {
    readBytes += chunk.length;
    if (readBytes > 4 * MB) stream.pause();
  });
  await Bun.sleep(300);
  // The window grows with the reader's pace; beside it there is what either end gathers.
  expect(sentBytes - readBytes).toBeLessThan(RELAY_CREDIT_MAX + MB);
  expect(relay.hub.load().waitingBytes).toBeLessThanOrEqual(RELAY_CREDIT_MAX);
  stream.destroy();
});

describe("a client that lies", () => {
  let taken: RelayStream[];
  beforeEach(async () => {
    taken = [];
    await relay.offer(machine, (stream) => {
      taken.push(stream);
      greet(stream);
    });
  });

  const attacks: readonly (readonly [string, readonly Buffer[]])[] = [
    [
      "sends more than was granted",
      [1, 2].map(() => encodeRelayFrame(RELAY_FRAME.data, 0, Buffer.alloc(RELAY_CREDIT_INITIAL))),
    ],
    ["grants more than there is", [creditFrame(0, 0xffff_ffff)]],
    ["grants nothing, again and again", [creditFrame(0, 0)]],
    ["names a stream that is not its own", [encodeRelayFrame(RELAY_FRAME.data, 1, Buffer.alloc(8))]],
    ["opens streams itself", [encodeRelayFrame(RELAY_FRAME.open, 0, Buffer.from("{}"))]],
    ["sends what is no frame", [Buffer.alloc(3)]],
    ["sends a frame without end", [encodeRelayFrame(RELAY_FRAME.data, 0, Buffer.alloc(1024 * 1024))]],
    ["ends twice", [1, 2].map(() => encodeRelayFrame(RELAY_FRAME.eof, 0))],
  ];
  test.each(attacks)("and %s loses its stream at once", async (_what, frames) => {
    const raw = await relay.rawDial(device, machine);
    await until("the stream", () => taken.length === 1);
    for (const frame of frames) raw.send(frame);
    await until("its end", () => relay.hub.load().streams === 0);
    raw.socket.resume();
    await until("the socket's end", () => raw.socket.destroyed || raw.socket.readableEnded);
    expect(relay.hub.load()).toMatchObject({ links: 1, waitingBytes: 0 });
  });

  test("and begins a message that never ends is cut off at the largest frame", async () => {
    const raw = await relay.rawDial(device, machine);
    await until("the stream", () => taken.length === 1);
    const part = Buffer.alloc(64 * 1024);
    raw.send(part, 0x02);
    for (let sent = part.length; sent < RELAY_FRAME_BYTES_MAX; sent += part.length) raw.send(part, 0x00);
    await until("its end", () => relay.hub.load().streams === 0);
    raw.socket.destroy();
  });

  test("and floods with pings without reading costs no more than one window", async () => {
    const raw = await relay.rawDial(device, machine);
    const ping = encodeRelayFrame(RELAY_FRAME.ping, 0);
    for (let i = 0; i < 200_000; i++) raw.send(ping);
    await Bun.sleep(500);
    expect(relay.hub.load().waitingBytes).toBeLessThan(2 * MB);
    raw.socket.destroy();
    await until("the end", () => relay.hub.load().streams === 0);
    expect(relay.hub.load().waitingBytes).toBe(0);
  }, 20_000);

  test("and grants what it does not read is cut off at one window", async () => {
    const raw = await relay.rawDial(device, machine);
    await until("the stream", () => taken.length === 1);
    const [stream] = taken;
    stream?.write(Buffer.alloc(64 * MB));
    let waitedMax = 0;
    for (let i = 0; i < 300 && relay.hub.load().streams > 0; i++) {
      raw.send(creditFrame(0, 512 * 1024));
      await Bun.sleep(2);
      waitedMax = Math.max(waitedMax, relay.hub.load().waitingBytes);
    }
    expect(relay.hub.load().streams).toBe(0);
    expect(waitedMax).toBeLessThan(RELAY_CREDIT_MAX + MB);
    raw.socket.destroy();
    await until("nothing to wait", () => relay.hub.load().waitingBytes === 0);
  }, 20_000);
});

test("a device that leaves all that is sent to it unread ends its own streams, and nobody else's", async () => {
  const MANY = 8;
  await relay.close();
  relay = openRelayLab(management, { streamsPerSourceMax: MANY, waitingBytesMax: 4 * MB });
  const other = await aPeerRow(management, { name: "desktop", kind: "device", groups: [laptops] });
  const taken: RelayStream[] = [];
  await relay.offer(machine, (stream) => {
    taken.push(stream);
    greet(stream);
  });
  const greedy = [];
  for (let i = 0; i < MANY; i++) greedy.push(await relay.rawDial(device, machine));
  await until("the streams", () => taken.length === MANY);
  for (const stream of taken) stream.write(Buffer.alloc(16 * MB));
  const honest = await relay.dial(other, machine);
  let heard = 0;
  honest.on("data", (data: Buffer) => {
    heard += data.length;
  });
  // What the system takes of it, and then as much as there is room for here.
  for (let i = 0; i < 2_000 && relay.hub.load().waitingBytes < 4 * MB - 64 * 1024; i++) {
    greedy[i % MANY]?.send(creditFrame(0, 64 * 1024));
    await Bun.sleep(1);
  }
  taken.at(-1)?.write(Buffer.alloc(64 * 1024));
  await until("what was said", () => honest.destroyed || heard > 64 * 1024);
  expect(honest.destroyed).toBe(false);
  for (const raw of greedy) raw.socket.destroy();
}, 20_000);

test("an address that proves nothing, again and again, has to pause", async () => {
  const headers = { upgrade: "websocket", connection: "Upgrade" };
  const statuses: number[] = [];
  for (let i = 0; i < 130; i++) {
    statuses.push((await fetch(`${relay.origin}/client/v1/relay`, { headers })).status);
  }
  expect(statuses[0]).toBe(401);
  expect(statuses.at(-1)).toBe(429);
});
