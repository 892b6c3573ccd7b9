import { afterEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { type Ed25519Key, generateEd25519, signEd25519 } from "../../../src/base/ed25519.ts";
import { silentLog } from "../../../src/base/log.ts";
import { newId } from "../../../src/base/random.ts";
import type { ManagementContext } from "../../../src/management/contracts/context.ts";
import { openPostgresStore } from "../../../src/management/db/postgres/store.ts";
import { systemInitiator } from "../../../src/management/db/tables/audit-events.ts";
import type { PeerRow } from "../../../src/management/db/tables/peers.ts";
import { createAccountLogs } from "../../../src/management/log/account-logs.ts";
import { createMaps } from "../../../src/management/maps/maps.ts";
import { createSyncHub } from "../../../src/management/sync/hub.ts";
import type { SocketData } from "../../../src/management/sync/link.ts";
import type { SyncHub } from "../../../src/management/sync/sync-hub.ts";
import type { AgentMessage, LiveSession, ManagementMessage } from "../../../src/wire/agent-sync.ts";
import { signedBytes } from "../../../src/wire/signed-fields.ts";
import { anAccount, aPeerOf, fakeKeys, ORIGIN } from "../../support/management.ts";
import { hasPostgres, testPostgres } from "../../support/postgres.ts";
import { until } from "../../support/until.ts";

interface Process {
  readonly store: ManagementContext["store"];
  readonly hub: SyncHub;
  readonly port: number;
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function aProcess(databaseUrl: string): Promise<Process> {
  const store = await openPostgresStore({ databaseUrl, clock: systemClock, log: silentLog });
  closers.push(() => store.close());
  const maps = createMaps({ store, keys: fakeKeys, origin: ORIGIN });
  const common = { clock: systemClock, log: silentLog, store, origin: ORIGIN };
  const logs = createAccountLogs({ ...common, masterKey: new Uint8Array(32).fill(7) });
  const context = { ...common, keys: fakeKeys, maps, logs };
  const hub = createSyncHub(context as unknown as ManagementContext);
  closers.push(() => hub.close());
  const server = Bun.serve<SocketData>({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => hub.upgrade(request, self, "127.0.0.1"),
    websocket: hub.websocket,
  });
  closers.push(() => server.stop(true));
  return { store, hub, port: server.port ?? 0 };
}

class Agent {
  readonly socket: WebSocket;
  readonly received: ManagementMessage[] = [];
  isClosed = false;

  constructor(port: number) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/agent/v1/sync`);
    this.socket.onmessage = ({ data }) => void this.received.push(JSON.parse(String(data)));
    this.socket.onclose = () => {
      this.isClosed = true;
    };
    closers.push(() => this.socket.close());
  }

  async next<T extends ManagementMessage["type"]>(type: T): Promise<Extract<ManagementMessage, { type: T }>> {
    const found = await until(type, () => this.received.find((message) => message.type === type));
    this.received.splice(this.received.indexOf(found), 1);
    return found as Extract<ManagementMessage, { type: T }>;
  }

  send(message: AgentMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Proves itself, and says that it has its map. Gives back the map's version. */
  async join({ key, peer }: { key: Ed25519Key; peer: PeerRow }, bootId: string): Promise<number> {
    const { challenge, accountId, origin } = await this.next("welcome");
    const signed = signedBytes("sync", { accountId, origin }, { challenge, peerId: peer.id, bootId });
    const off = { sshRoot: false, sshSftp: false, sshLocalForwarding: false, sshRemoteForwarding: false };
    const rest = { offlineLogins: false, requireIdpBinding: false, privileged: true, ownUser: "root" };
    this.send({
      type: "identify",
      protocolVersion: 1,
      peerId: peer.id,
      bootId,
      signature: signEd25519(key, signed),
      epoch: 0,
      version: 0,
      facts: peer.facts,
      flags: { sshServer: true, sshAuth: true, ...off, ...rest },
      hostKeys: ["AAAA"],
      direct: [],
      nextAuditSeq: 1,
    });
    const { map } = await this.next("map");
    this.send({ type: "ack", version: map.version });
    return map.version;
  }
}

const session: LiveSession = {
  connectionId: newId(),
  localUser: "deploy",
  userId: null,
  user: "ada",
  peer: "laptop",
  command: "sleep 60",
  forwards: [],
  startedAtSeconds: 1,
};

describe.skipIf(!hasPostgres)("agents of two processes", () => {
  const setUp = async () => {
    const databaseUrl = await (await testPostgres()).database();
    const [a, b] = await Promise.all([aProcess(databaseUrl), aProcess(databaseUrl)]);
    const { accountId } = await anAccount(a.store);
    const key = generateEd25519();
    const peer = await aPeerOf(a.store, accountId, { deviceKey: key.publicKey });
    return { a, b, accountId, machine: { key, peer } };
  };

  test("a session at one is seen and ended from the other; a change reaches the agent, and is waited for", async () => {
    const { a, b, accountId, machine } = await setUp();
    const agent = new Agent(a.port);
    await agent.join(machine, newId());
    const { id } = machine.peer;
    await until("presence", () => b.hub.isConnected(id));
    agent.send({ type: "sessions", sessions: [session] });
    await until("the session", () => b.hub.sessions(accountId).length === 1);
    expect(b.hub.sessions(accountId)).toEqual([{ peerId: id, session }]);
    expect(b.hub.kill(id, session.connectionId, "an admin ended it")).toBe(true);
    expect(await agent.next("kill")).toMatchObject({
      connectionId: session.connectionId,
      reason: "an admin ended it",
    });

    await b.store.change({ accountId, initiator: systemInitiator, affectsMaps: true }, async (tx) => {
      const { peers } = tx.t;
      await tx.sql.update(peers).set({ name: "renamed" });
    });
    const { delta } = await agent.next("delta");
    let hasWaited = false;
    const waiting = b.hub.waitForAck(id, delta.toVersion, 10_000).then(() => {
      hasWaited = true;
    });
    await Bun.sleep(100);
    expect(hasWaited).toBe(false);
    agent.send({ type: "ack", version: delta.toVersion });
    await waiting;
  });

  test("an agent that moves leaves no link behind; a copy that comes and goes is noticed", async () => {
    const { a, b, accountId, machine } = await setUp();
    const { id } = machine.peer;
    const boot = newId();
    const here = new Agent(a.port);
    await here.join(machine, boot);
    await until("presence", () => b.hub.isConnected(id));
    const there = new Agent(b.port);
    await there.join(machine, boot);
    await until("the old link to end", () => here.isClosed);
    expect(a.hub.isConnected(id)).toBe(true); // At the other process.
    expect(there.isClosed).toBe(false);

    const copy = new Agent(a.port);
    await copy.join(machine, newId());
    expect(await there.next("bye")).toMatchObject({ code: "clone_suspected" });
    await until("presence", () => b.hub.isConnected(id));
    await new Agent(b.port).join(machine, boot);
    const noticed = async () => {
      const { auditEvents } = (await a.store.read(async (tx) => tx)).t;
      const rows = await a.store.read((tx) => tx.sql.select().from(auditEvents));
      return rows.filter((row) => row.accountId === accountId && row.meta.what === "clone_suspected");
    };
    await until("the audit event", async () => (await noticed()).length === 1);
  });
});
