import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { openPathMemory, PATHS_FILE, type PathMemory } from "../../src/fabric/path-memory.ts";
import { dialPeer, type PeerDialOptions, type PeerStream } from "../../src/fabric/race.ts";
import { encodeRelayFrame, RELAY_FRAME, type RelayReset, resetFrame } from "../../src/wire/relay.ts";
import { until } from "../support/until.ts";

const NOW = 1_800_000_000;
const TARGET = "m".repeat(20);
let folder: string;
let memory: PathMemory;
const closing: (() => unknown)[] = [];
const won: PeerStream[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "qf-test-"));
  memory = openPathMemory(join(folder, PATHS_FILE));
});
afterEach(async () => {
  for (const { stream } of won.splice(0)) stream.on("error", () => {}).destroy();
  for (const close of closing.splice(0)) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** A machine that answers each connection after a while, or never (null). */
async function aMachine(answerMs: number | null): Promise<{ address: string; count(): number }> {
  let count = 0;
  const server: Server = createServer((socket) => {
    count += 1;
    socket.on("error", () => {});
    if (answerMs !== null) setTimeout(() => !socket.destroyed && socket.write("direct"), answerMs);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  const { port } = server.address() as { port: number };
  return { address: `127.0.0.1:${port}`, count: () => count };
}

/** A relay behind which the peer answers after a while, never (null), or that says no. */
function aRelay(answer: number | null | RelayReset): { origin: string; count(): number; open(): number } {
  let count = 0;
  let open = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("", { status: 400 })),
    websocket: {
      data: undefined,
      open: (socket) => {
        count += 1;
        open += 1;
        const data = encodeRelayFrame(RELAY_FRAME.data, 0, Buffer.from("relayed"));
        if (typeof answer === "number") setTimeout(() => socket.send(data), answer);
        else if (answer !== null) socket.send(resetFrame(0, answer));
      },
      message: () => {},
      close: () => {
        open -= 1;
      },
    },
  });
  closing.push(() => server.stop(true));
  return { origin: `http://127.0.0.1:${server.port}`, count: () => count, open: () => open };
}

async function dial(
  origin: string,
  addresses: readonly string[],
  change: Partial<PeerDialOptions> = {},
): Promise<PeerStream & { said: string[] }> {
  const said: string[] = [];
  const found = await dialPeer({
    deviceKey: generateEd25519(),
    scope: { accountId: "a".repeat(20), origin },
    source: "d".repeat(20),
    target: TARGET,
    port: 22,
    addresses,
    nowSeconds: () => NOW,
    memory,
    timeoutMs: 2_000,
    trace: (line) => void said.push(line),
    ...change,
  });
  won.push(found);
  return { ...found, said };
}

test("a direct address that answers wins, and the relay is not even asked", async () => {
  const [machine, relay] = [await aMachine(20), aRelay(0)];
  const { path, said } = await dial(relay.origin, [machine.address]);
  expect(path).toBe("direct");
  expect(relay.count()).toBe(0);
  expect(said).toEqual([
    expect.stringMatching(/^connected directly to 127\.0\.0\.1:\d+ after \d+ ms: it answered at once$/),
  ]);
});

test("the relay wins when no direct address answers within the head start, its first byte kept", async () => {
  const [machine, relay] = [await aMachine(null), aRelay(0)];
  const { path, why, tookMs, stream, said } = await dial(relay.origin, [machine.address]);
  expect({ path, why }).toEqual({ path: "relay", why: "no direct answer within 150 ms" });
  expect(tookMs).toBeGreaterThanOrEqual(150);
  const first = await new Promise((resolve) => stream.once("data", (data) => resolve(String(data))));
  expect(first).toBe("relayed");
  expect(said[0]).toContain("no direct answer within 150 ms");
});

test("direct addresses that refuse leave no time waiting for them", async () => {
  const relay = aRelay(0);
  const { path, said } = await dial(relay.origin, ["127.0.0.1:1"]);
  expect(path).toBe("relay");
  expect(said.join("\n")).toMatch(/trying the relay: .*refused/);
});

test("a slow direct address still wins over a relay that does not answer, whose socket goes", async () => {
  const [machine, relay] = [await aMachine(400), aRelay(null)];
  expect((await dial(relay.origin, [machine.address])).path).toBe("direct");
  await until("the relay's socket to go", () => relay.count() === 1 && relay.open() === 0);
});

test("a direct address that answers while the relay refuses wins", async () => {
  const [machine, relay] = [await aMachine(400), aRelay("absent")];
  const { path, said } = await dial(relay.origin, [machine.address]);
  expect(path).toBe("direct");
  expect(said.join("\n")).toContain("no path through the relay: the peer is not connected to the relay");
});

test("with no path at all both reasons are told in one line", async () => {
  const relay = aRelay("refused");
  const failure = await dial(relay.origin, ["127.0.0.1:1"]).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "ERR_PEER_UNREACHABLE" });
  expect(String(failure)).toMatch(/Connection refused .*; through the relay: .*does not let this device/);
});

test("what worked last time goes first: a direct path waits longer for itself, the relay begins early", async () => {
  const relay = aRelay(0);
  await memory.remember(TARGET, { path: "direct", address: "192.0.2.1:22022" }, NOW);
  const slow = await aMachine(300);
  expect((await dial(relay.origin, [slow.address])).path).toBe("direct");
  expect(relay.count()).toBe(0);
  await until("the memory", async () => (await memory.recall(TARGET))?.address === slow.address);
  await memory.remember(TARGET, { path: "relay" }, NOW);
  expect((await dial(relay.origin, [slow.address])).path).toBe("relay");
});

test("the address that answered last is tried first", async () => {
  const [dead, machine, relay] = [await aMachine(null), await aMachine(0), aRelay(null)];
  await dial(relay.origin, [dead.address, machine.address]);
  await until("the memory", async () => (await memory.recall(TARGET))?.address === machine.address);
  const before = dead.count();
  await dial(relay.origin, [dead.address, machine.address]);
  expect(dead.count()).toBe(before);
});

test("a memory that cannot be read, or not be written, changes nothing", async () => {
  const [machine, relay] = [await aMachine(0), aRelay(0)];
  writeFileSync(join(folder, PATHS_FILE), "{ broken");
  expect((await dial(relay.origin, [machine.address])).path).toBe("direct");
  await until("a new memory", () => readFileSync(join(folder, PATHS_FILE), "utf8").includes(TARGET));
  const nowhere = openPathMemory(join(folder, "no", "such", "folder"));
  expect((await dial(relay.origin, [machine.address], { memory: nowhere })).path).toBe("direct");
});

test("an abort ends all of it with its reason", async () => {
  const [machine, relay] = [await aMachine(null), aRelay(null)];
  const reason = new Error("enough");
  const signal = AbortSignal.timeout(200);
  const controller = new AbortController();
  signal.addEventListener("abort", () => controller.abort(reason));
  await expect(dial(relay.origin, [machine.address], { signal: controller.signal })).rejects.toBe(reason);
  await until("the relay's socket to go", () => relay.open() === 0);
});

test("time ends all of it", async () => {
  const [machine, relay] = [await aMachine(null), aRelay(null)];
  const failure = await dial(relay.origin, [machine.address], { timeoutMs: 300 }).catch((error) => error);
  expect(String(failure)).toMatch(/Connection timeout .*; through the relay: the peer did not answer/);
});

test("a machine that hangs up in the middle of a dial leaves it to the relay, at once", async () => {
  const relay = aRelay(0);
  const server = createServer(
    (socket) => void socket.on("error", () => {}).once("data", () => socket.destroy()),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  const { port } = server.address() as { port: number };
  const { path, why } = await dial(relay.origin, [`127.0.0.1:${port}`]);
  expect(path).toBe("relay");
  expect(why).toStartWith("the peer closed the connection without an answer");
});

test("a stream that breaks is over: it never goes on by the other path", async () => {
  const relay = aRelay(0);
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    socket.once("data", () => socket.write("direct"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  const { port } = server.address() as { port: number };
  const { path, stream } = await dial(relay.origin, [`127.0.0.1:${port}`]);
  expect(path).toBe("direct");
  const closed = new Promise((resolve) => stream.on("error", () => {}).once("close", resolve));
  stream.resume();
  sockets[0]?.destroy();
  await closed;
  expect(relay.count()).toBe(0);
});
