/** A relay that lies: whatever it passes on, the machine decides by its own map. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Server, ServerWebSocket } from "bun";
import { createGate } from "../../../src/agent/listeners/hello-check.ts";
import { createRefusals, type Refusals } from "../../../src/agent/listeners/refusals.ts";
import { createRelayLink, type RelayLink } from "../../../src/agent/listeners/relay-link.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { makeHello } from "../../../src/fabric/hello.ts";
import { prepareSnapshot } from "../../../src/policy/decide/snapshot.ts";
import type { Hello } from "../../../src/wire/hello.ts";
import { decodeRelayFrame, encodeRelayFrame, RELAY_FRAME, resetOf } from "../../../src/wire/relay.ts";
import { aMap, anId, aPeer, aRule } from "../../support/policy.ts";
import { until } from "../../support/until.ts";

const deviceKey = generateEd25519();
const strangerKey = generateEd25519();
const laptop = { ...aPeer("laptop", ["devs"]), deviceKey: deviceKey.publicKey };
const other = { ...aPeer("other", ["guests"]), deviceKey: strangerKey.publicKey };
const rule = aRule("tcp", ["devs"], "full", { protocol: "tcp", ports: [{ start: 22, end: 22 }] });
const map = aMap({ peers: [laptop, other], rules: [rule] });
const scope = { accountId: map.accountId, origin: map.origin };

let relay: Server<undefined>;
let agentSocket: ServerWebSocket<undefined> | undefined;
let resets: Map<number, string>;
let taken: Hello[];
let refused: string[];
let sources: string[];
let refusals: Refusals;
let link: RelayLink;

beforeEach(async () => {
  [resets, taken, refused, sources, agentSocket] = [new Map(), [], [], [], undefined];
  relay = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("no", { status: 400 })),
    websocket: {
      open: (socket) => {
        agentSocket = socket;
      },
      message: (_socket, message) => {
        const frame = decodeRelayFrame(message);
        if (frame?.type === RELAY_FRAME.reset) resets.set(frame.streamId, resetOf(frame));
      },
    },
  });
  const gate = createGate({
    clock: systemClock,
    failures: {
      add: (source, _peer, reason) => {
        sources.push(source);
        refused.push(reason);
      },
      flush: async () => {},
      close: async () => {},
    },
    hadPredecessor: false,
    snapshot: () => prepareSnapshot(map),
  });
  refusals = createRefusals(systemClock);
  link = createRelayLink({
    clock: systemClock,
    log: silentLog,
    enrolled: {
      ...scope,
      // Where the lying relay is; what is signed is for the true one.
      origin: `http://127.0.0.1:${relay.port}`,
      peerId: map.self.peerId,
      name: "web1",
      domain: "qf.internal",
      address: map.self.address,
    },
    deviceKey: generateEd25519(),
    gate,
    refusals,
    take: (stream, hello) => {
      taken.push(hello);
      stream.on("error", () => {}).destroy();
    },
    isManagementUp: () => true,
  });
  link.want(true);
  await until("the link", () => link.state().connected && agentSocket !== undefined);
});

afterEach(async () => {
  link.close();
  await relay.stop(true);
});

function pass(streamId: number, hello: string, sourceAddress = "192.0.2.7"): void {
  const open = { hello, sourceAddress, sourcePort: 4711 };
  const payload = Buffer.from(JSON.stringify(open));
  agentSocket?.sendBinary(encodeRelayFrame(RELAY_FRAME.open, streamId, payload));
}

function aHello(change: Partial<Parameters<typeof makeHello>[0]> = {}): string {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const mine = { deviceKey, scope, source: laptop.id, target: map.self.peerId, port: 22, nowSeconds };
  return makeHello({ ...mine, ...change }).trimEnd();
}

test("a stream of a device that the rules let in is taken, once", async () => {
  const hello = aHello();
  pass(1, hello);
  await until("the stream", () => taken.length === 1);
  pass(2, hello);
  await until("the refusal", () => resets.has(2));
  expect(refused).toEqual(["certificate_replayed"]);
  expect(taken.map(({ source }) => source)).toEqual([laptop.id]);
  expect(refusals.sums()).toMatchObject({ relay: 1, forgedByRelay: 1 });
});

test.each<[name: string, change: Partial<Parameters<typeof makeHello>[0]>, reason: string]>([
  ["that no rule lets in", { deviceKey: strangerKey, source: other.id }, "network_not_allowed"],
  ["that the map does not know", { source: anId("nobody") }, "device_unknown"],
  ["with another one's key", { deviceKey: strangerKey }, "device_unknown"],
  ["to another port", { port: 80 }, "network_not_allowed"],
  ["to another machine", { target: anId("web2") }, "wrong_target"],
  ["of another account", { scope: { ...scope, accountId: anId("foreign") } }, "device_unknown"],
  ["from two minutes ago", { nowSeconds: Math.floor(Date.now() / 1000) - 120 }, "clock_skew"],
  [
    "that pings and that no rule lets in",
    { deviceKey: strangerKey, source: other.id, port: 7 },
    "network_not_allowed",
  ],
])("a stream of a device %s is refused, whatever the relay says", async (name, change, reason) => {
  pass(1, aHello(change));
  await until("the refusal", () => resets.has(1));
  expect(resets.get(1)).toBe("gone");
  expect(refused).toEqual([reason]);
  expect(taken).toEqual([]);
  const isForged = ["with another one's key", "of another account"].includes(name);
  expect(refusals.sums()).toMatchObject({ direct: 0, relay: 1, forgedByRelay: isForged ? 1 : 0 });
});

test.each(["", "SSH-2.0-x", "QUFABRIC/1 x y", aHello().replace("QUFABRIC/1", "QUFABRIC/2")])(
  "a stream with %p for a hello is refused",
  async (hello) => {
    pass(1, hello);
    await until("the refusal", () => resets.has(1));
    expect(taken).toEqual([]);
  },
);

test("what it calls an address and is none gets into no evidence", async () => {
  pass(1, "no hello", "192.0.2.7\u001b[2J, by alice");
  pass(2, "no hello");
  await until("both", () => sources.length === 2);
  expect(sources).toEqual(["0.0.0.0", "192.0.2.7"]);
});
