import { afterEach, expect, test } from "bun:test";
import { type Ed25519Key, generateEd25519, signEd25519 } from "../../../src/base/ed25519.ts";
import { newId } from "../../../src/base/random.ts";
import type { PeerRow } from "../../../src/management/db/tables/peers.ts";
import { createSyncHub } from "../../../src/management/sync/hub.ts";
import type { SocketData } from "../../../src/management/sync/link.ts";
import type { SyncHub, SyncHubOptions } from "../../../src/management/sync/sync-hub.ts";
import type { ManagementMessage } from "../../../src/wire/agent-sync.ts";
import { digestOfMap } from "../../../src/wire/map-digest.ts";
import { signedBytes } from "../../../src/wire/signed-fields.ts";
import { aManagement, anAccount, aPeerOf, ORIGIN, type TestManagement } from "../../support/management.ts";
import { until } from "../../support/until.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Running {
  readonly management: TestManagement;
  readonly hub: SyncHub;
  readonly accountId: string;
  readonly url: string;
}

async function aHub(options: SyncHubOptions): Promise<Running> {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  const hub = createSyncHub(management, options);
  const server = Bun.serve<SocketData>({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => {
      const from = new URL(request.url).searchParams.get("from") ?? "127.0.0.1";
      return hub.upgrade(request, self, from);
    },
    websocket: hub.websocket,
  });
  closers.push(() => hub.close());
  closers.push(() => server.stop(true));
  return { management, hub, accountId, url: `ws://127.0.0.1:${server.port}/agent/v1/sync` };
}

interface Machine {
  readonly key: Ed25519Key;
  readonly peer: PeerRow;
}
async function aMachine({ management, accountId }: Running, name: string): Promise<Machine> {
  const key = generateEd25519();
  const peer = await aPeerOf(management.store, accountId, { name, deviceKey: key.publicKey });
  return { key, peer };
}

/** An agent's socket, that proves itself when told to. */
class Agent {
  readonly received: ManagementMessage[] = [];
  readonly socket: WebSocket;
  isClosed = false;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.onmessage = ({ data }) => void this.received.push(JSON.parse(String(data)));
    this.socket.onclose = () => {
      this.isClosed = true;
    };
    closers.push(() => this.socket.close());
  }

  has(type: ManagementMessage["type"]): boolean {
    return this.received.some((message) => message.type === type);
  }

  async next<T extends ManagementMessage["type"]>(type: T): Promise<Extract<ManagementMessage, { type: T }>> {
    const found = await until(type, () => this.received.find((message) => message.type === type));
    return found as Extract<ManagementMessage, { type: T }>;
  }

  async identify({ key, peer }: Machine, position: object = { epoch: 0, version: 0 }): Promise<void> {
    const { challenge, accountId, origin } = await this.next("welcome");
    expect(origin).toBe(ORIGIN);
    const bootId = newId();
    const said = { challenge, peerId: peer.id, bootId };
    const flags = {
      sshServer: true,
      sshRoot: false,
      sshSftp: false,
      sshLocalForwarding: false,
      sshRemoteForwarding: false,
      sshAuth: true,
      offlineLogins: false,
      requireIdpBinding: false,
      privileged: true,
      ownUser: "root",
    };
    const identify = {
      type: "identify",
      protocolVersion: 1,
      peerId: peer.id,
      bootId,
      signature: signEd25519(key, signedBytes("sync", { accountId, origin }, said)),
      ...position,
      facts: peer.facts,
      flags,
      hostKeys: ["AAAA"],
      direct: [],
      nextAuditSeq: 1,
    };
    this.socket.send(JSON.stringify(identify));
  }

  ack(version: number): void {
    this.socket.send(JSON.stringify({ type: "ack", version }));
  }
}

test("asks so many at once who they are, and the next when one has its map or is gone", async () => {
  const running = await aHub({ handshakesMax: 1 });
  const machine = await aMachine(running, "web1");
  const [first, second, third] = [new Agent(running.url), new Agent(running.url), new Agent(running.url)];
  await first.next("welcome");
  await until("all", () => [second, third].every(({ socket }) => socket.readyState === WebSocket.OPEN));
  await Bun.sleep(50);
  expect([second.has("welcome"), third.has("welcome")]).toEqual([false, false]);
  await first.identify(machine);
  await first.next("map");
  const next = await until("the next", () => [second, third].find((agent) => agent.has("welcome")));
  const last = next === second ? third : second;
  expect(last.has("welcome")).toBe(false);
  next.socket.close();
  await last.next("welcome");
});

test("sends so many whole maps at once, the next once one is acknowledged or its agent gone", async () => {
  const running = await aHub({ wholeMapsMax: 1 });
  const machines: Machine[] = [];
  for (const name of ["web1", "web2", "web3"]) machines.push(await aMachine(running, name));
  const agents = machines.map(() => new Agent(running.url));
  await Promise.all(agents.map((agent, i) => agent.identify(machines[i] as Machine)));
  const served = () => agents.filter((agent) => agent.has("map"));
  await until("the first", () => served().length === 1);
  await Bun.sleep(50);
  expect(served()).toHaveLength(1);
  served()[0]?.ack(1);
  await until("the second", () => served().length === 2);
  served().at(-1)?.socket.close();
  for (const agent of served()) agent.ack(1);
  await until("the third", () => served().length === 3);
});

test("says with a heartbeat that a machine's share of audit events is used up", async () => {
  const running = await aHub({ auditShareBytes: 1 });
  const agent = new Agent(running.url);
  await agent.identify(await aMachine(running, "web1"));
  agent.ack((await agent.next("map")).map.version);
  const say = (message: object) => agent.socket.send(JSON.stringify(message));
  say({ type: "ping", sentMs: 1 });
  expect((await agent.next("pong")).auditHeld).toBeUndefined();
  const body = { type: "agent.state", what: "started", detail: "" };
  say({ type: "audit", events: [{ seq: 1, atMs: 1, body }] });
  await agent.next("audit_ack");
  agent.received.length = 0;
  say({ type: "ping", sentMs: 2 });
  expect((await agent.next("pong")).auditHeld).toBe(true);
});

test("has no need of the whole for who is current", async () => {
  const running = await aHub({ wholeMapsMax: 1 });
  const [web1, web2] = [await aMachine(running, "web1"), await aMachine(running, "web2")];
  const first = new Agent(running.url);
  await first.identify(web2);
  const { map } = await first.next("map");
  first.ack(map.version);
  const blocking = new Agent(running.url);
  await blocking.identify(web1);
  await blocking.next("map");
  first.socket.close();
  const again = new Agent(running.url);
  await again.identify(web2, { epoch: map.epoch, version: map.version, digest: digestOfMap(map) });
  expect((await again.next("current")).version).toBe(map.version);
});

test("tells who has to wait too long when to come back, each another time", async () => {
  const running = await aHub({ handshakesMax: 1 });
  const blocking = new Agent(running.url);
  await blocking.next("welcome");
  const waiting = [new Agent(running.url), new Agent(running.url)];
  await until("the refusals", () => waiting.every((agent) => agent.has("bye")), 8_000);
  for (const agent of waiting) {
    const bye = await agent.next("bye");
    expect(bye).toMatchObject({ code: "busy", retry: true });
    expect(bye.retryAfterMs).toBeGreaterThanOrEqual(500);
    await until("the end", () => agent.isClosed);
  }
}, 10_000);

test("who does not prove itself in time is told when to come back, and makes room", async () => {
  const running = await aHub({ handshakesMax: 1, identifyMs: 50 });
  const silent = new Agent(running.url);
  await silent.next("welcome");
  const bye = await silent.next("bye");
  expect(bye).toMatchObject({ code: "too_slow", retry: true, retryAfterMs: expect.any(Number) });
  await new Agent(running.url).next("welcome");
});

test("who proves itself in time is let in, however long management takes over it", async () => {
  const running = await aHub({ identifyMs: 500 });
  const machine = await aMachine(running, "web1");
  const agent = new Agent(running.url);
  await agent.next("welcome");
  const { promise: isFree, resolve: free } = Promise.withResolvers<void>();
  const writing = running.management.store.transaction(() => isFree);
  await agent.identify(machine);
  await Bun.sleep(1_000);
  expect(agent.has("bye") || agent.isClosed).toBe(false);
  free();
  await writing;
  await agent.next("map");
});

test("takes no more from one address than that, and says when to come back", async () => {
  const running = await aHub({ unprovenPerAddressMax: 1 });
  const first = new Agent(running.url);
  await first.next("welcome");
  const refused = new Agent(running.url);
  expect(await refused.next("bye")).toMatchObject({ code: "busy", retry: true });
  expect(refused.has("welcome")).toBe(false);
  first.socket.close();
  await until("the end", () => first.isClosed && refused.isClosed);
  await new Agent(running.url).next("welcome");
});

test("keeps room for others when one address asks and says no more, and takes all of a /64 for one", async () => {
  const running = await aHub({ handshakesMax: 2 });
  const from = (address: string) => new Agent(`${running.url}?from=${encodeURIComponent(address)}`);
  const silent = ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3"].map(from);
  await until("the first", () => silent.some((agent) => agent.has("welcome")));
  await until("all", () => silent.every(({ socket }) => socket.readyState === WebSocket.OPEN));
  await from("2001:db8:1::1").next("welcome");
  expect(silent.filter((agent) => agent.has("welcome"))).toHaveLength(1);
});

test("an address that takes all the room to wait leaves some to others", async () => {
  const running = await aHub({ unprovenMax: 8, unprovenPerAddressMax: 4 });
  const from = (address: string) => new Agent(`${running.url}?from=${encodeURIComponent(address)}`);
  const many = Array.from({ length: 8 }, (_, i) => from(`2001:db8::${i + 1}`));
  const those = (type: "bye" | "welcome") => many.filter((agent) => agent.has(type)).length;
  await until("the answers", () => those("bye") + those("welcome") === 8);
  expect(those("welcome")).toBe(4);
  await from("2001:db8:1::1").next("welcome");
});

test("an agent that asks for the whole again and again takes no room of others by it", async () => {
  const running = await aHub({ wholeMapsMax: 2 });
  const greedy = new Agent(running.url);
  await greedy.identify(await aMachine(running, "web1"));
  await greedy.next("map");
  for (let i = 0; i < 3; i++) greedy.socket.send(JSON.stringify({ type: "need_map" }));
  const other = new Agent(running.url);
  await other.identify(await aMachine(running, "web2"));
  await other.next("map");
});

test("does not even talk to more than twice what may be unproven", async () => {
  const running = await aHub({ unprovenMax: 0 });
  const headers = { upgrade: "websocket", connection: "upgrade", "sec-websocket-key": "AAAA" };
  expect((await fetch(running.url.replace("ws:", "http:"), { headers })).status).toBe(503);
});

test("says goodbye with a time to come back, takes nobody then, and is not open", async () => {
  const running = await aHub({});
  const machine = await aMachine(running, "web1");
  const agent = new Agent(running.url);
  await agent.identify(machine);
  await agent.next("map");
  expect(running.hub.isOpen).toBe(true);
  await running.hub.close();
  const bye = await agent.next("bye");
  expect(bye).toMatchObject({ code: "restarting", retry: true, retryAfterMs: expect.any(Number) });
  expect(running.hub.isOpen).toBe(false);
});
