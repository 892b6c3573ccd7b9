import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ServerWebSocket } from "bun";
import { createApprovals } from "../../../src/agent/control-link/approvals.ts";
import { createMapHolder, type MapHolder } from "../../../src/agent/control-link/map-holder.ts";
import { createSyncClient, type SyncClient } from "../../../src/agent/control-link/sync-client.ts";
import { readLastMap, statePaths } from "../../../src/agent/state/state.ts";
import { openSpool } from "../../../src/audit/spool.ts";
import type { Spool } from "../../../src/audit/spool-contract.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { generateEd25519, verifyEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { newId } from "../../../src/base/random.ts";
import type { Enrolled } from "../../../src/wire/agent-state-file.ts";
import { AgentMessage, type ManagementMessage } from "../../../src/wire/agent-sync.ts";
import { digestOfMap } from "../../../src/wire/map-digest.ts";
import { deltaFrom, outlineFor, sectionsOf } from "../../../src/wire/map-outline.ts";
import { signedBytes } from "../../../src/wire/signed-fields.ts";
import { aMap, anId, aUser } from "../../support/policy.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

/** Management played by hand: what it got, and a way to say anything. */
class FakeManagement {
  readonly received: AgentMessage[] = [];
  connections = 0;
  #socket: ServerWebSocket<undefined> | undefined;
  welcome: object = {};
  isSilent = false;
  pong: object = {};
  offsetMs = 0;
  readonly server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("", { status: 400 })),
    websocket: {
      data: undefined,
      open: (socket) => {
        this.connections += 1;
        this.#socket = socket;
        this.say({
          type: "welcome",
          protocolVersion: 1,
          accountId: anId("account"),
          origin: this.origin,
          challenge: "c".repeat(43),
          nowMs: Date.now(),
          ...this.welcome,
        } as ManagementMessage);
      },
      message: (_socket, data) => {
        const message = AgentMessage.parse(JSON.parse(String(data)));
        if (message.type !== "ping") this.received.push(message);
        else if (!this.isSilent) {
          this.say({ type: "pong", sentMs: message.sentMs, nowMs: Date.now() + this.offsetMs, ...this.pong });
        }
      },
    },
  });

  get origin(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  say(message: ManagementMessage | Record<string, unknown>): void {
    this.#socket?.send(JSON.stringify(message));
  }

  drop(): void {
    this.#socket?.terminate();
  }

  async next<T extends AgentMessage["type"]>(type: T): Promise<Extract<AgentMessage, { type: T }>> {
    const found = await until(type, () => this.received.find((message) => message.type === type));
    this.received.splice(this.received.indexOf(found), 1);
    return found as Extract<AgentMessage, { type: T }>;
  }
}

let management: FakeManagement;
let client: SyncClient;
let maps: MapHolder;
let spool: Spool;
let gone: string[];
let random = 0;
const deviceKey = generateEd25519();
const bootId = newId();

beforeEach(async () => {
  management = new FakeManagement();
  const paths = statePaths(join(tempFolder(), "state"));
  mkdirSync(paths.directory);
  const enrolled: Enrolled = {
    accountId: anId("account"),
    origin: management.origin,
    peerId: anId("web1"),
    name: "web1",
    domain: "qf.internal",
    address: "100.64.0.2",
  };
  const common = { clock: systemClock, log: silentLog };
  maps = createMapHolder({ ...common, paths, enrolled, last: await readLastMap(paths) });
  spool = (await openSpool({ ...common, directory: paths.audit })).spool;
  gone = [];
  random = 0;
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
  const facts = { hostname: "web1", os: "linux", kernelVersion: "6", version: "0" };
  client = createSyncClient({
    ...common,
    enrolled,
    deviceKey,
    bootId,
    maps,
    spool,
    report: () => ({ facts, flags, hostKeys: ["AAAA"], direct: [] }),
    sessions: () => [],
    approvals: createApprovals(),
    kill: () => {},
    onGone: (message) => void gone.push(message),
    heartbeatMs: 50,
    random: () => random,
  });
});
afterEach(async () => {
  await client.close();
  await spool.close();
  await maps.flush();
  await management.server.stop(true);
});

function aMapOf(version: number, change: object = {}): ManagementMessage {
  return { type: "map", map: aMap({ change: { version, origin: management.origin, ...change } }) };
}

/** Changes nothing but the version. */
function aDelta(fromVersion: number, toVersion: number): ManagementMessage {
  const digest = digestOfMap(aMap({ change: { version: toVersion, origin: management.origin } }));
  return { type: "delta", delta: { fromVersion, toVersion }, digest };
}

/** Identified, with version 5 in effect. */
async function mapped(): Promise<void> {
  await management.next("identify");
  management.say(aMapOf(5));
  await management.next("ack");
}

describe("the sync client", () => {
  test("proves the device key over management's challenge", async () => {
    const { signature, peerId } = await management.next("identify");
    const scope = { accountId: anId("account"), origin: management.origin };
    const bytes = signedBytes("sync", scope, { challenge: "c".repeat(43), peerId, bootId });
    expect(verifyEd25519(deviceKey.publicKey, bytes, signature)).toBe(true);
  });

  test("acknowledges a map once it is in effect", async () => {
    await management.next("identify");
    management.say(aMapOf(5));
    expect((await management.next("ack")).version).toBe(5);
    expect(maps.position().version).toBe(5);
    expect(client.state()).toMatchObject({ connected: true, error: null });
  });

  test.each([
    ["one that says that it takes them", { eventVersion: 2 }, "forward.close"],
    ["one that says nothing", {}, "agent.state"],
  ] as const)("uploads events in the form of the management: %s", async (_name, welcome, type) => {
    management.welcome = welcome;
    await spool.record({
      ...{
        type: "forward.close",
        connectionId: "c".repeat(20),
        kind: "local",
        destination: "db:1",
        forwardId: 0,
      },
      ...{ reason: null, bytesIn: 1, bytesOut: 2, durationMs: 3 },
    });
    await mapped();
    const { events } = await management.next("audit");
    expect(events.map(({ seq, body }) => [seq, body.type])).toEqual([[1, type]]);
  });

  test.each([
    ["one that understands it", { via: true }, true],
    ["an older one", {}, undefined],
  ] as const)("says that it takes what devices carry for others, to %s", async (_name, welcome, via) => {
    management.welcome = welcome;
    expect((await management.next("identify")).flags.via).toBe(via);
    management.say(aMapOf(5));
    await management.next("ack");
    client.reportFlags();
    expect((await management.next("flags")).flags.via).toBe(via);
  });

  test("asks for the whole when a delta does not fit, once", async () => {
    await mapped();
    for (const to of [8, 9]) management.say(aDelta(7, to));
    await management.next("need_map");
    await Bun.sleep(50);
    expect(management.received.some(({ type }) => type === "need_map")).toBe(false);
    management.say(aMapOf(9));
    expect((await management.next("ack")).version).toBe(9);
  });

  test("asks for the whole when a delta leads to something else than management means", async () => {
    await mapped();
    const digest = digestOfMap(aMap({ change: { version: 6, epoch: 2, origin: management.origin } }));
    management.say({ type: "delta", delta: { fromVersion: 5, toVersion: 6 }, digest });
    await management.next("need_map");
    expect(maps.position().version).toBe(5);
    management.say(aMapOf(6));
    expect((await management.next("ack")).version).toBe(6);
  });

  test("says what it has instead of an outlined map, and takes what it lacks", async () => {
    await mapped();
    management.received.splice(0);
    management.drop();
    const { version, digest, sections } = await management.next("identify");
    const held = aMap({ change: { version: 5, origin: management.origin } });
    expect([version, digest, sections]).toEqual([5, digestOfMap(held), sectionsOf(held)]);
    const wanted = aMap({
      users: [aUser("ada", ["devs"])],
      change: { version: 9, origin: management.origin },
    });
    const outline = outlineFor(sectionsOf(held), wanted);
    management.say({ type: "outline", outline });
    const { differences } = await management.next("differences");
    const delta = deltaFrom({ version: 5, sections: sectionsOf(held) }, differences, wanted);
    expect(delta.users?.put).toEqual(Object.values(wanted.users));
    management.say({ type: "delta", delta, digest: digestOfMap(wanted) });
    expect((await management.next("ack")).version).toBe(9);
    expect(maps.snapshot()?.map).toEqual(wanted);
  });

  test("asks for the whole map when asked what it has instead, and it has none", async () => {
    await management.next("identify");
    management.say({ type: "outline", outline: { users: "AAAAAAAA" } });
    await management.next("need_map");
  });

  test.each([
    {
      name: "of another account",
      map: () => aMapOf(6, { accountId: anId("other") }),
      says: "another account",
    },
    { name: "older than its own", map: () => aMapOf(4), says: "older map" },
    { name: "of a newer protocol", map: () => aMapOf(6, { protocolVersion: 2 }), says: "update qf" },
    {
      name: "with a restriction it does not know",
      map: () => ({ type: "map", map: { ...aMap({ change: { version: 6 } }), onlyOnSundays: true } }),
      says: "update qf",
    },
  ])("refuses a map $name, and lets its own grow old", async ({ map, says }) => {
    await mapped();
    management.say(map());
    await until("the refusal", () => client.state().error?.includes(says));
    const age = maps.ageSeconds();
    await until("its map grows old", () => maps.ageSeconds() > age + 0.1);
    expect(client.state().connected).toBe(true);
    expect(maps.position().version).toBe(5);
  });

  test("comes back no sooner than management asks", async () => {
    await mapped();
    const startMs = performance.now();
    management.say({ type: "bye", code: "busy", message: "later", retry: true, retryAfterMs: 700 });
    await management.next("identify");
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(690);
  });

  test("spreads its return as far as management has said with a heartbeat", async () => {
    random = 0.5;
    management.pong = { spreadMs: 1_000 };
    await mapped();
    await until("a heartbeat", () => client.state().latencyMs !== null);
    const startMs = performance.now();
    management.drop();
    await management.next("identify");
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(690);
  });

  test("knows from a heartbeat that its events are not taken for now, and again that they are", async () => {
    management.pong = { auditHeld: true };
    await mapped();
    await until("the word", () => client.state().auditHeld);
    management.pong = {};
    await until("the other word", () => !client.state().auditHeld);
  });

  test("takes a heartbeat as confirmation, and measures the clock", async () => {
    management.offsetMs = -60_000;
    await mapped();
    const mappedMs = performance.now();
    await until("a confirmation", () => maps.ageSeconds() < (performance.now() - mappedMs) / 1_000 - 0.05);
    expect(Math.round((client.state().clockOffsetMs ?? 0) / 1000)).toBe(60);
  });

  test("comes back after a loss, with what it has", async () => {
    await mapped();
    management.received.splice(0);
    management.drop();
    expect(await management.next("identify")).toMatchObject({ epoch: 1, version: 5 });
    management.say({ type: "current", version: 5 });
    await until("the link", () => client.state().connected);
  });

  test("comes back when management falls silent", async () => {
    await mapped();
    management.isSilent = true;
    await until("the second connection", () => management.connections === 2);
  });

  test("proves nothing to a management that calls itself something else", async () => {
    await management.next("identify");
    management.welcome = { origin: "https://evil.example.com" };
    management.received.splice(0);
    management.drop();
    await until("attempts", () => management.connections > 2);
    expect(management.received).toEqual([]);
    expect(client.state().connected).toBe(false);
  });

  test("stays away when told so, and says that it is gone", async () => {
    await management.next("identify");
    management.say({ type: "bye", code: "peer_unknown", message: "deleted", retry: false });
    await until("the end", () => gone.length > 0);
    await Bun.sleep(300);
    expect([gone, management.connections]).toEqual([["deleted"], 1]);
  });

  test("uploads events in order, the next batch after the acknowledgement", async () => {
    await mapped();
    await spool.record({ type: "agent.state", what: "started", detail: "a" });
    const first = await management.next("audit");
    expect(first.events.map(({ seq }) => seq)).toEqual([1]);
    await spool.record({ type: "agent.state", what: "started", detail: "b" });
    await Bun.sleep(30);
    expect(management.received.some(({ type }) => type === "audit")).toBe(false);
    management.say({ type: "audit_ack", throughSeq: 1 });
    expect((await management.next("audit")).events.map(({ seq }) => seq)).toEqual([2]);
  });

  test("uploads again what was not acknowledged on the link before", async () => {
    await mapped();
    await spool.record({ type: "agent.state", what: "started", detail: "a" });
    await management.next("audit");
    management.drop();
    await management.next("identify");
    management.say({ type: "current", version: 5 });
    expect((await management.next("audit")).events.map(({ seq }) => seq)).toEqual([1]);
  });

  test("passes over messages of a newer management", async () => {
    await mapped();
    management.say({ type: "fireworks", colour: "red" });
    management.say({ ...aDelta(5, 6), extra: 1 });
    expect((await management.next("ack")).version).toBe(6);
  });
});
