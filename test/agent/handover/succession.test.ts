/**
 * One agent takes over from another on the same state folder: nobody who connects meanwhile is refused, and
 * what the earlier one serves goes on under the maps, the orders and the spool of the later one.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Inherited } from "../../../src/agent/contracts/inherited.ts";
import { askStatus, findControlSocket } from "../../../src/agent/control-socket/control-client.ts";
import { runSocketPath } from "../../../src/agent/handover/run-socket.ts";
import { takeOver } from "../../../src/agent/handover/take-over.ts";
import type { LiveSession } from "../../../src/wire/agent-sync.ts";
import { prepareTestAgent, startTestAgent, type TestAgent } from "../../support/agent.ts";
import { anId } from "../../support/policy.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

let management: TestManagement;
let stateDir: string;
const agents: TestAgent[] = [];
let names = 0;

let setupKey: string;
beforeAll(async () => {
  management = await startTestManagement(join(tempFolder(), "data"));
  setupKey = await management.addSetupKey({
    usageLimit: 20,
    autoGroups: [await management.addGroup("Servers")],
  });
});
beforeEach(async () => {
  stateDir = join(tempFolder(), "state");
  await prepareTestAgent(stateDir, { managementUrl: management.url, name: `web${++names}` }, setupKey);
});
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop();
});
afterAll(() => management.close());

async function start(change: Parameters<typeof startTestAgent>[1] = {}): Promise<TestAgent> {
  const agent = await startTestAgent(stateDir, change);
  agents.push(agent);
  return agent;
}

const inherit = async () => await takeOver(runSocketPath(await findControlSocket(stateDir)));

/** The successor of `agent`, which serves by the time this resolves. */
async function succeed(agent: TestAgent): Promise<TestAgent> {
  agent.succession.expect();
  const inherited = await inherit();
  if (inherited === null) throw new Error("nothing was handed over");
  const next = await start({ inherited });
  await until("the successor is followed", () => agent.succession.isFollowed);
  return next;
}

function aSession(connectionId = anId("connection")): LiveSession {
  return {
    connectionId,
    localUser: "deploy",
    userId: null,
    user: "ada@example.com",
    peer: "laptop.qf.internal",
    command: "sleep",
    forwards: [],
    startedAtSeconds: 1,
    path: "direct",
  };
}

describe("an agent that expects a successor", () => {
  test("gives up its folder, listens on for those who connect, and is not refused", async () => {
    const before = await start();
    const [address = ""] = before.status().sshServer.listen;
    await until("the link", () => before.status().management.connected);
    before.ssh.live = [aSession()];
    before.succession.expect();
    const inherited = await inherit();
    // In between nobody accepts, and nobody is turned away.
    const port = Number(address.split(":").pop());
    const socket = connect(port, "127.0.0.1");
    const connected = new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    await connected;
    expect(inherited).not.toBeNull();
    const after = await start(inherited === null ? {} : { inherited });
    expect(after.status().sshServer.listen).toEqual([address]);
    await until("it is followed", () => before.succession.isFollowed);
    await until("the link of the successor", () => after.status().management.connected);
    expect((await askStatus(stateDir))?.state).toBe("running");
    socket.destroy();
  });

  test("goes on serving, known to status and management, until its last session has ended", async () => {
    const before = await start();
    before.ssh.live = [aSession()];
    const after = await succeed(before);
    await until("its sessions", () => after.status().sshServer.sessions.length === 1);
    before.ssh.live = [];
    await before.stopped;
    expect(before.ssh.isClosed).toBe(true);
    await until("they are gone", () => after.status().sshServer.sessions.length === 0);
    expect(after.status().state).toBe("running");
  });

  test("leaves its evidence to the successor: one spool, without a gap", async () => {
    const before = await start();
    before.ssh.live = [aSession()];
    const after = await succeed(before);
    const audit = {
      type: "agent.state",
      what: "state_damaged",
      detail: "told by the earlier agent",
    } as const;
    await before.ssh.world.audit.record(audit);
    before.ssh.live = [];
    await before.stopped;
    await after.stop();
    const events = readdirSync(join(stateDir, "audit"))
      .filter((name) => /^\d/.test(name))
      .sort()
      .flatMap((name) =>
        readFileSync(join(stateDir, "audit", name), "utf8")
          .trim()
          .split("\n"),
      )
      .map((line) => JSON.parse(line) as { seq: number; body: { detail?: string } });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => (events[0]?.seq ?? 0) + at));
    expect(events.some(({ body }) => body.detail === audit.detail)).toBe(true);
  });

  test("is rechecked by each map of the successor, ends what management orders, and all when it stops", async () => {
    const before = await start();
    before.ssh.live = [aSession()];
    const after = await succeed(before);
    await until("the link", () => after.status().management.connected);
    const { rechecks } = before.ssh;
    const version = () => before.ssh.world.snapshot()?.map.version ?? 0;
    const was = version();
    await management.changeSettings({ max_stale_seconds: 123_456 });
    await until("the map of the earlier agent", () => version() > was);
    expect(before.ssh.rechecks).toBeGreaterThan(rechecks);
    await after.stop();
    await before.stopped;
    expect(before.ssh.isClosed).toBe(true);
  });
});

describe("an agent that expects nobody", () => {
  test("gives nothing up", async () => {
    const agent = await start();
    expect(await inherit()).toBeNull();
    expect(agent.status().state).toBe("running");
  });

  test("nor again once its time is over", async () => {
    const agent = await start();
    agent.succession.expect(-1);
    expect(await inherit()).toBeNull();
  });
});

test("a successor that fails ends nothing: the earlier agent is offered what it gave up", async () => {
  let given: Inherited | undefined;
  const before = await start({
    servesMsMax: 100,
    onDeserted: (inherited) => {
      given = inherited;
    },
  });
  const [address] = before.status().sshServer.listen;
  before.ssh.live = [aSession()];
  before.succession.expect();
  // It takes over, and is never heard of again.
  (await inherit())?.close();
  const inherited = await until("the offer", () => given);
  const again = await start({ inherited });
  expect(again.status().sshServer.listen).toEqual(address === undefined ? [] : [address]);
  await until("its session", () => again.status().sshServer.sessions.length === 1);
  expect(before.ssh.isClosed).toBe(false);
});
