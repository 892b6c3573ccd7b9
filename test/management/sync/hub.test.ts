import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ed25519Key, generateEd25519, signEd25519 } from "../../../src/base/ed25519.ts";
import { newId } from "../../../src/base/random.ts";
import { listGroups } from "../../../src/management/db/tables/groups.ts";
import { findPeerById, type PeerRow, updatePeer } from "../../../src/management/db/tables/peers.ts";
import { putPolicy } from "../../../src/management/db/tables/policies.ts";
import { applyDelta } from "../../../src/policy/maps/map-delta.ts";
import { AGENT_PART_BYTES_MAX, splitAgentMessage } from "../../../src/wire/agent-parts.ts";
import type { AgentMessage, ManagementMessage } from "../../../src/wire/agent-sync.ts";
import { digestOfMap } from "../../../src/wire/map-digest.ts";
import { differencesFrom, sectionsOf } from "../../../src/wire/map-outline.ts";
import type { NetworkMap } from "../../../src/wire/network-map.ts";
import { signedBytes } from "../../../src/wire/signed-fields.ts";
import { aPeerRow } from "../../support/peer-row.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { until } from "../../support/until.ts";

type Identify = Extract<AgentMessage, { type: "identify" }>;

const folders: string[] = [];
let management: TestManagement;

/** Removed after management has closed, which still writes there. */
function tempFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "qf-test-"));
  folders.push(path);
  return path;
}

const links: Link[] = [];
beforeEach(async () => {
  management = await startTestManagement(join(tempFolder(), "data"));
});
afterEach(async () => {
  for (const link of links.splice(0)) link.socket.close();
  await management.close();
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});

interface Machine {
  readonly key: Ed25519Key;
  readonly peer: PeerRow;
}

async function aMachine(name = "web1", kind: "machine" | "device" = "machine"): Promise<Machine> {
  const { key, row: peer } = await aPeerRow(management, { name, kind, hostKeys: ["AAAA"] });
  return { key, peer };
}

/** The agent's end of a link, played by hand. */
class Link {
  readonly socket: WebSocket;
  readonly received: ManagementMessage[] = [];
  closed = false;

  constructor(path = "/agent/v1/sync", headers: Record<string, string> = {}) {
    const url = `${management.url.replace("http", "ws")}${path}`;
    this.socket = new WebSocket(url, { headers } as unknown as string[]);
    this.socket.onmessage = ({ data }) => void this.received.push(JSON.parse(String(data)));
    this.socket.onclose = () => {
      this.closed = true;
    };
    links.push(this);
  }

  send(message: AgentMessage | Record<string, unknown>): void {
    this.socket.send(JSON.stringify(message));
  }

  async next<T extends ManagementMessage["type"]>(
    type: T,
    timeoutMs = 5_000,
  ): Promise<Extract<ManagementMessage, { type: T }>> {
    const found = await until(type, () => this.received.find((message) => message.type === type), timeoutMs);
    this.received.splice(this.received.indexOf(found), 1);
    return found as Extract<ManagementMessage, { type: T }>;
  }

  async identify({ key, peer }: Machine, change: Partial<Identify> = {}): Promise<Identify> {
    const { challenge, accountId, origin } = await this.next("welcome");
    const bootId = change.bootId ?? newId();
    const peerId = change.peerId ?? peer.id;
    const message: Identify = {
      type: "identify",
      protocolVersion: 1,
      peerId,
      bootId,
      signature: signEd25519(key, signedBytes("sync", { accountId, origin }, { challenge, peerId, bootId })),
      epoch: 0,
      version: 0,
      facts: { hostname: "web1", os: "linux", kernelVersion: "6", version: "0" },
      flags: {
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
      },
      hostKeys: ["AAAA"],
      direct: ["127.0.0.1:22022"],
      nextAuditSeq: 1,
      ...change,
    };
    this.send(message);
    return message;
  }
}

async function linked(machine: Machine, change: Partial<Identify> = {}): Promise<Link> {
  const link = new Link();
  await link.identify(machine, change);
  await link.next("map");
  return link;
}

/** The map as it is now, whole. */
async function mapOf(machine: Machine): Promise<NetworkMap> {
  const link = new Link();
  await link.identify(machine);
  const { map } = await link.next("map");
  link.send({ type: "leaving" });
  await until("the end", () => link.closed);
  return map;
}

/** What an agent that has `map` says of it. */
function held(map: NetworkMap): Partial<Identify> {
  const { epoch, version } = map;
  return { epoch, version, digest: digestOfMap(map), sections: sectionsOf(map) };
}

/** A rule that every machine has. */
async function addPolicy(name: string): Promise<void> {
  const { accountId } = management;
  const { store } = management.context;
  const everybody =
    (await store.read((tx) => listGroups(tx, accountId))).find(({ isAll }) => isAll)?.id ?? "";
  const body = {
    name,
    enabled: true,
    action: "accept" as const,
    bidirectional: false,
    protocol: "tcp" as const,
    ports: ["443"],
    sources: [everybody],
    destinations: [everybody],
  };
  const id = newId();
  const row = { id, accountId, name, description: null, enabled: true, sourcePostureChecks: [] };
  const options = { accountId, initiator: { id: "test", name: "test", email: "" }, affectsMaps: true };
  await store.change(options, (tx) =>
    putPolicy(tx, { ...row, createdAt: 1, updatedAt: 1 }, [
      { id: newId(), accountId, policyId: id, position: 0, body },
    ]),
  );
}

describe("the sync hub", () => {
  test("sends the map to an agent that has proven its key", async () => {
    const machine = await aMachine();
    const link = new Link();
    await link.identify(machine);
    expect((await link.next("map")).map.self.peerId).toBe(machine.peer.id);
  });

  test.each([
    { name: "an unknown peer", change: { peerId: "x".repeat(20) }, code: "peer_unknown", retry: false },
    {
      name: "a signature of something else",
      change: { signature: "A".repeat(86) },
      code: "proof_refused",
      retry: true,
    },
  ])("ends the link of $name", async ({ change, code, retry }) => {
    const link = new Link();
    await link.identify(await aMachine(), change);
    expect(await link.next("bye")).toMatchObject({ code, retry });
    await until("the end", () => link.closed);
    expect(link.received).toEqual([]);
  });

  test("ends the link of another's key, and of a person's device", async () => {
    const machine = await aMachine();
    const wrong = new Link();
    await wrong.identify({ ...machine, key: generateEd25519() });
    expect((await wrong.next("bye")).code).toBe("proof_refused");
    const device = new Link();
    await device.identify(await aMachine("laptop", "device"));
    expect((await device.next("bye")).code).toBe("peer_unknown");
  });

  test("takes a proof for its own challenge only", async () => {
    const machine = await aMachine();
    const first = new Link();
    const proven = await first.identify(machine);
    const second = new Link();
    await second.next("welcome");
    second.send(proven);
    expect((await second.next("bye")).code).toBe("proof_refused");
  });

  test.each([
    { name: "text that is no JSON", send: "hello" },
    { name: "JSON that is no message", send: '{"type":"open_sesame"}' },
    { name: "an identification with more in it", send: '{"type":"identify","admin":true}' },
    { name: "bytes", send: new Uint8Array([1, 2, 3]) },
    { name: "a message before the identification", send: '{"type":"need_map"}' },
  ])("ends the link at $name", async ({ send }) => {
    const link = new Link();
    await link.next("welcome");
    link.socket.send(send);
    expect((await link.next("bye")).code).toBe("bad_message");
    await until("the end", () => link.closed);
  });

  test("has an agent behind our own proxy come from where the proxy says", async () => {
    await management.close();
    management = await startTestManagement(join(tempFolder(), "data"), { behindProxy: true });
    const machine = await aMachine();
    const link = new Link("/agent/v1/sync", { "x-forwarded-for": "203.0.113.1, 198.51.100.2" });
    await link.identify(machine);
    await link.next("map");
    const stored = await management.context.store.read((tx) => findPeerById(tx, machine.peer.id));
    expect(stored?.connectionIp).toBe("198.51.100.2");
  });

  test("takes no event of a time that nobody could be shown", async () => {
    const link = await linked(await aMachine());
    const body = { type: "agent.state", what: "started", detail: "" };
    link.send({ type: "audit", events: [{ seq: 1, atMs: 9_000_000_000_000_000, body }] });
    expect((await link.next("bye")).code).toBe("bad_message");
    const headers = { authorization: `Token ${management.token}` };
    expect((await fetch(`${management.url}/api/events/audit`, { headers })).status).toBe(200);
  });

  test("refuses a page of another origin", async () => {
    const link = new Link("/agent/v1/sync", { origin: "https://evil.example.com" });
    await until("the refusal", () => link.closed);
    expect(link.received).toEqual([]);
  });

  test("answers what is no WebSocket with a status", async () => {
    const response = await fetch(`${management.url}/agent/v1/sync`);
    expect(response.status).toBe(426);
  });

  test("gives nobody more than five seconds to prove themselves", async () => {
    const link = new Link();
    await link.next("welcome");
    await until("the end", () => link.closed, 8_000);
  }, 10_000);

  test("sends the map whole to an agent whose map of that version says something else", async () => {
    const machine = await aMachine();
    const first = new Link();
    await first.identify(machine);
    const { map } = await first.next("map");
    first.socket.close();
    const { epoch, version } = map;
    const same = new Link();
    await same.identify(machine, { epoch, version, digest: digestOfMap(map) });
    await same.next("current");
    same.socket.close();
    const other = new Link();
    const changed = { ...map, self: { ...map.self, sshEnabled: !map.self.sshEnabled } };
    await other.identify(machine, { epoch, version, digest: digestOfMap(changed) });
    expect((await other.next("map")).map).toEqual(map);
  });

  test("sends its map, and says what is wrong, to an agent that has a newer one", async () => {
    const machine = await aMachine();
    const link = new Link();
    await link.identify(machine, { epoch: 1, version: 1_000 });
    expect((await link.next("map")).map.version).toBeLessThan(1_000);
  });

  test("says `current` to an agent that has the map, and to one who does not say what it says, the map", async () => {
    const machine = await aMachine();
    const map = await mapOf(machine);
    const link = new Link();
    await link.identify(machine, held(map));
    expect((await link.next("current")).version).toBe(map.version);
    const other = new Link();
    await other.identify(machine, { epoch: map.epoch, version: map.version });
    await other.next("map");
  });

  test("sends what a value says now without a question to an agent that comes back", async () => {
    const machine = await aMachine();
    const map = await mapOf(machine);
    await management.changeSettings({ max_stale_seconds: 77 });
    const link = new Link();
    await link.identify(machine, held(map));
    const { delta, digest } = await link.next("delta");
    expect(delta).toMatchObject({ fromVersion: map.version, settings: { maxStaleSeconds: 77 } });
    expect(Object.keys(delta).sort()).toEqual(["fromVersion", "settings", "toVersion"]);
    expect(digest).toBe(digestOfMap(applyDelta(map, delta) as NetworkMap));
  });

  test("asks an agent that comes back what it has of a collection, and sends what is missing", async () => {
    const machine = await aMachine();
    await addPolicy("first");
    const map = await mapOf(machine);
    await addPolicy("second");
    const link = new Link();
    await link.identify(machine, held(map));
    const { outline } = await link.next("outline");
    expect(Object.keys(outline)).toEqual(["rules"]);
    const differences = differencesFrom(map, outline);
    link.send({ type: "differences", differences });
    const { delta, digest } = await link.next("delta");
    expect(delta.rules?.put).toHaveLength(1);
    expect(Object.keys(delta).sort()).toEqual(["fromVersion", "rules", "toVersion"]);
    const after = applyDelta(map, delta) as NetworkMap;
    expect(digestOfMap(after)).toBe(digest);
    // And from there on as ever.
    await management.changeSettings({ max_stale_seconds: 78 });
    const { delta: next } = await link.next("delta");
    expect(next.fromVersion).toBe(delta.toVersion);
    expect(applyDelta(after, next)).toEqual(await mapOf(machine));
  });

  test("sends a change that comes while it asks after what was asked for", async () => {
    const machine = await aMachine();
    const map = await mapOf(machine);
    await addPolicy("first");
    const link = new Link();
    await link.identify(machine, held(map));
    const { outline } = await link.next("outline");
    await management.changeSettings({ max_stale_seconds: 79 });
    await Bun.sleep(50);
    expect(link.received).toEqual([]);
    link.send({ type: "differences", differences: differencesFrom(map, outline) });
    let after = map;
    while (after.settings.maxStaleSeconds !== 79) {
      const { delta, digest } = await link.next("delta");
      after = applyDelta(after, delta) as NetworkMap;
      expect(digestOfMap(after)).toBe(digest);
    }
    expect(after).toEqual(await mapOf(machine));
  });

  test.each([
    { name: "has another map under a number that we gave", of: { isSame: false, change: {} } },
    { name: "has one of another epoch", of: { isSame: true, change: { epoch: 2 } } },
    { name: "has one of another account", of: { isSame: false, change: { accountId: newId() } } },
  ])("sends the whole map to an agent that $name", async ({ of }) => {
    const machine = await aMachine();
    const map = await mapOf(machine);
    await management.changeSettings({ max_stale_seconds: 77 });
    const link = new Link();
    const tampered = { ...map, self: { ...map.self, sshEnabled: false } };
    await link.identify(machine, held({ ...(of.isSame ? map : tampered), ...of.change }));
    expect((await link.next("map")).map).toEqual(await mapOf(machine));
  });

  test("sends the whole map to an agent that is asked what it has and wants it whole, or says nothing", async () => {
    const machine = await aMachine();
    const map = await mapOf(machine);
    await addPolicy("first");
    const link = new Link();
    await link.identify(machine, held(map));
    await link.next("outline");
    link.send({ type: "need_map" });
    const { map: whole } = await link.next("map");
    const silent = new Link();
    await silent.identify(machine, held(map));
    await silent.next("outline");
    expect((await silent.next("map", 20_000)).map).toEqual(whole);
  }, 30_000);

  test("an answer to what was not asked changes nothing, and one that is none ends the link", async () => {
    const link = await linked(await aMachine());
    link.send({ type: "differences", differences: {} });
    link.send({ type: "ping", sentMs: 1 });
    await link.next("pong");
    expect(link.received).toEqual([]);
    link.send({ type: "differences", differences: { users: { buckets: [-1], held: {} } } });
    expect((await link.next("bye")).code).toBe("bad_message");
  });

  test("sends a change as a delta, many at once as few, and the whole when asked", async () => {
    const link = await linked(await aMachine());
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => management.changeSettings({ max_stale_seconds: 100 + i })),
    );
    await until("the last", () =>
      link.received.some((one) => one.type === "delta" && one.delta.settings?.maxStaleSeconds === 119),
    );
    const versions = link.received.flatMap((one) => (one.type === "delta" ? [one.delta] : []));
    for (const [i, delta] of versions.entries()) {
      const before = versions[i - 1];
      if (before !== undefined) expect(delta.fromVersion).toBe(before.toVersion);
    }
    link.send({ type: "need_map" });
    expect((await link.next("map")).map.settings.maxStaleSeconds).toBe(119);
  });

  test("tells one machine nothing of a change that concerns another", async () => {
    const [one, two] = [await aMachine("web1"), await aMachine("web2")];
    const link = await linked(one);
    await linked(two);
    const { accountId } = management;
    const options = { accountId, initiator: { id: "t", name: "t", email: "" }, affectsMaps: true };
    await management.context.store.change(options, (tx) =>
      updatePeer(tx, accountId, two.peer.id, { sshEnabled: false }),
    );
    await Bun.sleep(200);
    expect(link.received.filter(({ type }) => type === "delta" || type === "map")).toEqual([]);
  });

  test("answers a ping with its own time", async () => {
    const link = await linked(await aMachine());
    link.send({ type: "ping", sentMs: 5 });
    const pong = await link.next("pong");
    expect(pong.sentMs).toBe(5);
    expect(Math.abs(pong.nowMs - Date.now())).toBeLessThan(1_000);
  });

  test("acknowledges events once they are stored, and repetitions again", async () => {
    const link = await linked(await aMachine());
    const event = (seq: number) => ({
      seq,
      atMs: 1,
      body: { type: "agent.state" as const, what: "started" as const, detail: `event ${seq}` },
    });
    link.send({ type: "audit", events: [event(1), event(2)] });
    expect((await link.next("audit_ack")).throughSeq).toBe(2);
    link.send({ type: "audit", events: [event(2), event(3)] });
    expect((await link.next("audit_ack")).throughSeq).toBe(3);
    const stored = (await management.events()).filter((one) => one.meta.detail?.startsWith("event "));
    expect(stored.map((one) => one.meta.detail)).toEqual(["event 1", "event 2", "event 3"]);
  });

  test("tells an agent at once what it has of its events", async () => {
    const machine = await aMachine();
    const link = await linked(machine);
    const body = { type: "agent.state" as const, what: "started" as const, detail: "" };
    link.send({ type: "audit", events: [{ seq: 1, atMs: 1, body }] });
    await link.next("audit_ack");
    link.socket.close();
    const again = new Link();
    await again.identify(machine, { nextAuditSeq: 1 });
    expect((await again.next("audit_ack")).throughSeq).toBe(1);
  });

  test("keeps what the agent reports where others read it", async () => {
    const machine = await aMachine();
    const link = await linked(machine, { hostKeys: ["BBBB"], direct: ["192.0.2.1:22022"] });
    const read = () => management.context.store.read((tx) => findPeerById(tx, machine.peer.id));
    expect(await read()).toMatchObject({
      hostKeys: ["BBBB"],
      direct: ["192.0.2.1:22022"],
      flags: { sshServer: true },
    });
    const flags = { ...(await read())?.flags, sshServer: false };
    link.send({ type: "flags", flags, direct: [] });
    await until("the change", async () => (await read())?.flags?.sshServer === false);
    const changes = (await management.events()).filter((one) => one.activity_code === "peer.update");
    expect(changes).toHaveLength(1);
  });

  test("lets the newer of two links win", async () => {
    const machine = await aMachine();
    const first = await linked(machine);
    await linked(machine);
    expect(await first.next("bye")).toMatchObject({ code: "clone_suspected", retry: true });
    const clones = (await management.events()).filter((one) => one.meta.what === "clone_suspected");
    expect(clones).toEqual([]);
  });

  test("writes down two agents that push each other out, once", async () => {
    const machine = await aMachine();
    const [a, b] = [newId(), newId()];
    for (const bootId of [a, b, a, b, a]) await linked(machine, { bootId });
    await until("the event", async () =>
      (await management.events()).some((one) => one.meta.what === "clone_suspected"),
    );
    await Bun.sleep(50);
    const clones = (await management.events()).filter((one) => one.meta.what === "clone_suspected");
    expect(clones).toHaveLength(1);
  });

  test("says goodbye with the request to come back when management stops", async () => {
    const link = await linked(await aMachine());
    await management.close();
    expect(await link.next("bye")).toMatchObject({ code: "restarting", retry: true });
  });

  test("stays up for one agent while another floods it", async () => {
    const flooding = await linked(await aMachine("web1"));
    const other = await linked(await aMachine("web2"));
    const event = { seq: 1, atMs: 1, body: { type: "agent.state", what: "started", detail: "" } };
    for (let i = 0; i < 2_000; i++) flooding.send({ type: "audit", events: [event] });
    other.send({ type: "ping", sentMs: 1 });
    await other.next("pong");
  });

  test("takes what is too large for one message in parts, from who has proven itself only", async () => {
    const link = await linked(await aMachine());
    const body = { type: "agent.state" as const, what: "started" as const, detail: "ü".repeat(500) };
    const events = Array.from({ length: 250 }, (_, i) => ({ seq: i + 1, atMs: 1, body }));
    const parts = splitAgentMessage(JSON.stringify({ type: "audit", events }));
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) link.socket.send(part);
    expect((await link.next("audit_ack")).throughSeq).toBe(250);
    const stranger = new Link();
    await stranger.next("welcome");
    stranger.socket.send("+{");
    expect(await stranger.next("bye")).toMatchObject({ code: "bad_message" });
  });

  test("ends the link of one who sends parts without end, and of one whose message is too large", async () => {
    const machine = await aMachine();
    const endless = await linked(machine);
    const part = `+${"x".repeat(AGENT_PART_BYTES_MAX - 1)}`;
    for (let i = 0; i < 40; i++) endless.socket.send(part);
    expect(await endless.next("bye")).toMatchObject({ code: "bad_message" });
    const large = await linked(machine);
    const ping = JSON.stringify({ type: "ping", sentMs: 1 });
    large.socket.send(ping.padEnd(AGENT_PART_BYTES_MAX));
    await large.next("pong");
    large.socket.send(ping.padEnd(AGENT_PART_BYTES_MAX + 1));
    expect(await large.next("bye")).toMatchObject({ code: "bad_message" });
    await until("the end", () => large.closed);
  });

  test("survives connections that never speak WebSocket", async () => {
    const { port } = new URL(management.url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET /agent/v1/sync HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n");
    await Bun.sleep(50);
    socket.destroy();
    await linked(await aMachine());
  });
});
