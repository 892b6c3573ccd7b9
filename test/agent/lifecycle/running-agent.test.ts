import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askAgent, askStatus } from "../../../src/agent/control-socket/control-client.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { isQfError } from "../../../src/base/errors.ts";
import { dialDirect } from "../../../src/fabric/dial.ts";
import { makeHello } from "../../../src/fabric/hello.ts";
import { pingOver } from "../../../src/fabric/ping.ts";
import { deletePeer, findPeerById } from "../../../src/management/db/tables/peers.ts";
import { PING_PORT } from "../../../src/wire/hello.ts";
import { PublicClientFile } from "../../../src/wire/state-file.ts";
import { prepareTestAgent, startTestAgent, type TestAgent } from "../../support/agent.ts";
import { aPeerRow } from "../../support/peer-row.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { until } from "../../support/until.ts";

const initiator = { id: "test", name: "test", email: "" };
const folders: string[] = [];
let management: TestManagement;

/** Removed after management has closed, which still writes there. */
function tempFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "qf-test-"));
  folders.push(path);
  return path;
}

let dataDir: string;
let stateDir: string;
let servers: string;
const agents: TestAgent[] = [];

beforeEach(async () => {
  dataDir = join(tempFolder(), "data");
  stateDir = join(tempFolder(), "state");
  management = await startTestManagement(dataDir);
  servers = await management.addGroup("Servers");
});
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop();
  await management.close();
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});

async function enrolled() {
  const setupKey = await management.addSetupKey({ autoGroups: [servers] });
  return await prepareTestAgent(stateDir, { managementUrl: management.url }, setupKey);
}

/** Everything that comes back before the connection ends. */
async function heardFrom(address: string, said: string): Promise<string> {
  const socket = connect(Number(address.split(":").pop()), "127.0.0.1");
  let heard = "";
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket
    .on("error", () => {})
    .on("data", (data) => {
      heard += data;
    });
  socket.write(said);
  await closed;
  return heard;
}

async function started(): Promise<TestAgent> {
  const agent = await startTestAgent(stateDir);
  agents.push(agent);
  return agent;
}

async function linked(): Promise<TestAgent> {
  const agent = await started();
  await until("the link", () => agent.status().management.connected);
  return agent;
}

/** A device in a group that may reach the servers, and its key. */
async function aDevice() {
  const group = await management.addGroup("Laptops");
  const { key: deviceKey, row: peer } = await aPeerRow(management, {
    ...{ name: "laptop", kind: "device", groups: [group] },
  });
  await management.addPolicy({ protocol: "tcp", ports: ["22"], sources: [group], destinations: [servers] });
  return { deviceKey, peer, groups: [group] };
}

function dial(
  agent: TestAgent,
  { deviceKey, peer }: Awaited<ReturnType<typeof aDevice>>,
  ageSeconds = 0,
  port = 22,
) {
  const target = agent.status().self?.peerId ?? "";
  const scope = { accountId: management.accountId, origin: management.url };
  const helloFor = () =>
    makeHello({
      deviceKey,
      scope,
      source: peer.id,
      target,
      port,
      nowSeconds: Math.floor(Date.now() / 1000) - ageSeconds,
    });
  return dialDirect({ addresses: agent.status().sshServer.listen, helloFor, timeoutMs: 2_000 });
}

describe("an agent", () => {
  test("enrols, gets its map, and is connected", async () => {
    const file = await enrolled();
    const agent = await linked();
    expect(agent.status()).toMatchObject({
      state: "running",
      self: { peerId: file.enrolled?.peerId, name: "web1" },
      sshServer: { enabled: true },
      problems: process.geteuid?.() === 0 ? [] : expect.anything(),
    });
    expect(agent.status().management.mapVersion).toBeGreaterThan(0);
    const peer = await management.context.store.read((tx) => findPeerById(tx, file.enrolled?.peerId ?? ""));
    expect(peer?.flags?.sshServer).toBe(true);
    expect(peer?.direct).toEqual(agent.status().sshServer.listen);
    expect(peer?.hostKeys).toHaveLength(2);
  });

  test("hands a proven stream to SSH once a policy opens the path, and not before", async () => {
    await enrolled();
    const agent = await linked();
    const device = await aDevice();
    await until("the rule", () => Object.keys(agent.ssh.world.snapshot()?.map.rules ?? {}).length > 0);
    const { socket } = await dial(agent, device);
    socket.destroy();
    expect(agent.ssh.accepted[0]).toMatchObject({ path: "direct", sourcePeerId: device.peer.id });

    const { store } = management.context;
    const options = { accountId: management.accountId, initiator, affectsMaps: true };
    const before = agent.ssh.rechecks;
    await store.change(options, (tx) => deletePeer(tx, device.peer));
    await until("the change", () => agent.ssh.rechecks > before, 1_000);
    const failure = await dial(agent, device).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_PEER_UNREACHABLE")).toBe(true);
    expect(agent.ssh.accepted).toHaveLength(1);
  });

  test("answers a ping of a device that a policy lets in, and of no other; SSH hears of neither", async () => {
    await enrolled();
    const agent = await linked();
    const device = await aDevice();
    await until("the rule", () => Object.keys(agent.ssh.world.snapshot()?.map.rules ?? {}).length > 0);
    const { socket } = await dial(agent, device, 0, PING_PORT);
    const [answer] = await pingOver(socket, {
      count: 1,
      intervalMs: 1,
      timeoutMs: 2_000,
      nowMs: () => Date.now(),
    });
    expect(answer?.answer).toMatchObject({ connected: true, ssh: "on" });

    const sides = { sources: device.groups, destinations: [servers] };
    await management.addPolicy({ ...sides, action: "drop", protocol: "tcp", ports: ["22"] });
    await until("the drop", () => Object.keys(agent.ssh.world.snapshot()?.map.rules ?? {}).length > 1);
    const failure = await dial(agent, device, 0, PING_PORT).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_PEER_UNREACHABLE")).toBe(true);
    expect(agent.ssh.accepted).toHaveLength(0);
  });

  test("hears of a change without asking", async () => {
    await enrolled();
    const agent = await linked();
    const device = await aDevice();
    await until("the device", () => agent.ssh.world.snapshot()?.map.peers[device.peer.id] !== undefined);
    const version = agent.status().management.mapVersion;
    await management.changeSettings({ max_stale_seconds: 120 });
    await until("the change", () => agent.status().management.mapVersion > version);
    expect(agent.ssh.world.snapshot()?.map.settings.maxStaleSeconds).toBe(120);
  });

  test("takes its events to management, each once", async () => {
    await enrolled();
    const agent = await linked();
    await agent.ssh.world.audit.record({ type: "agent.state", what: "flags_changed", detail: "by hand" });
    const told = async () =>
      (await management.events()).filter((event) => event.meta.detail === "by hand").length;
    await until("the event", told);
    await agent.stop();
    agents.splice(0);
    await linked();
    await Bun.sleep(100);
    expect(await told()).toBe(1);
    expect((await management.events()).some((event) => event.activity_code === "agent.gap")).toBe(false);
  });

  test("works from its stored map while management is away, and comes back by itself", async () => {
    await enrolled();
    const agent = await linked();
    const device = await aDevice();
    await until("the rule", () => Object.keys(agent.ssh.world.snapshot()?.map.rules ?? {}).length > 0);
    const port = new URL(management.url).port;
    await management.close();
    await until("the loss", () => !agent.status().management.connected);
    await agent.stop();
    agents.splice(0);

    const again = await started();
    expect(again.status().management.mapVersion).toBeGreaterThan(0);
    expect(again.ssh.world.mapAgeSeconds()).toBeLessThan(60);
    const { socket } = await dial(again, device);
    socket.destroy();
    const { startManagement } = await import("../../../src/management/serve.ts");
    const restarted = await startManagement({ dataDir, listen: `127.0.0.1:${port}` });
    management = Object.assign(management, restarted);
    await until("the link", () => again.status().management.connected, 30_000);
  }, 60_000);

  test("stops for good, and allows nothing, once its peer is deleted", async () => {
    const file = await enrolled();
    const agent = await linked();
    const { store } = management.context;
    const peer = await store.read((tx) => findPeerById(tx, file.enrolled?.peerId ?? ""));
    if (peer === undefined) throw new Error("the peer is not there");
    const options = { accountId: management.accountId, initiator, affectsMaps: true };
    await store.change(options, (tx) => deletePeer(tx, peer));
    await until("the end", () => agent.ssh.world.snapshot() === null);
    expect(agent.status().problems.join()).toContain("not part of the account");
    await until("the file", () => !existsSync(join(stateDir, "map.json")));
  });

  test("applies flags live: what is taken away ends at once", async () => {
    await enrolled();
    const agent = await linked();
    const before = agent.ssh.rechecks;
    await askAgent(stateDir, { do: "apply", flags: { sshServer: false, sshRoot: true } });
    expect(agent.ssh.rechecks).toBeGreaterThan(before);
    expect(agent.status().sshServer).toMatchObject({ enabled: false, listen: [] });
    expect(agent.ssh.world.machineFlags()).toMatchObject({ sshServer: false, sshRoot: true });
    expect(JSON.parse(readFileSync(join(stateDir, "agent.json"), "utf8")).flags.sshServer).toBe(false);
    await askAgent(stateDir, { do: "apply", flags: { sshServer: true } });
    expect(agent.status().sshServer.listen).toHaveLength(1);
  });

  test("applies limits live, keeps them, and forgets them when told", async () => {
    await enrolled();
    const agent = await linked();
    const limits = () => agent.ssh.world.limits();
    const stored = () => JSON.parse(readFileSync(join(stateDir, "agent.json"), "utf8")).flags;
    expect(limits().sessionsMax).toBe(10);
    await askAgent(stateDir, { do: "apply", flags: { sshMaxSessions: 3, sshIdleTimeoutSeconds: 60 } });
    expect(limits()).toMatchObject({ sessionsMax: 3, idleMs: 60_000 });
    expect(stored()).toMatchObject({ sshMaxSessions: 3, sshIdleTimeoutSeconds: 60 });
    await agent.stop();
    agents.splice(0);
    const again = await linked();
    expect(again.ssh.world.limits()).toMatchObject({ sessionsMax: 3, idleMs: 60_000 });
    await askAgent(stateDir, { do: "apply", flags: { sshMaxSessions: null } });
    expect(again.ssh.world.limits()).toMatchObject({ sessionsMax: 10, idleMs: 60_000 });
  });

  test("reads nothing more of an address that sends no hello, and nothing is said to it", async () => {
    await enrolled();
    const agent = await linked();
    const device = await aDevice();
    await until("the rule", () => Object.keys(agent.ssh.world.snapshot()?.map.rules ?? {}).length > 0);
    await askAgent(stateDir, { do: "apply", flags: { sshPerSourcePenalties: "invalid-hello:5s" } });
    (await dial(agent, device)).socket.destroy();
    const [address = ""] = agent.status().sshServer.listen;
    for (let i = 0; i < 4; i++) expect(await heardFrom(address, "SSH-2.0-scanner\r\n")).toBe("");
    const failure = await dial(agent, device).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_PEER_UNREACHABLE")).toBe(true);
    await askAgent(stateDir, { do: "apply", flags: { sshPerSourcePenaltyExemptList: ["127.0.0.0/8"] } });
    (await dial(agent, device)).socket.destroy();
  });

  test("takes a clock that is behind at its first start, and nothing older than itself at the next", async () => {
    await enrolled();
    const agent = await linked();
    const device = await aDevice();
    await until("the rule", () => Object.keys(agent.ssh.world.snapshot()?.map.rules ?? {}).length > 0);
    (await dial(agent, device, 45)).socket.destroy();
    await agent.stop();
    agents.splice(0);
    const again = await linked();
    const failure = await dial(again, device, 45).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_PEER_UNREACHABLE")).toBe(true);
    (await dial(again, device)).socket.destroy();
  });

  test("stops listening at once although somebody is on", async () => {
    await enrolled();
    const agent = await linked();
    const device = await aDevice();
    await until("the rule", () => Object.keys(agent.ssh.world.snapshot()?.map.rules ?? {}).length > 0);
    const { socket } = await dial(agent, device);
    await askAgent(stateDir, { do: "apply", flags: { sshServer: false } });
    socket.destroy();
  });

  test("refuses flags that do not hold together and changes nothing", async () => {
    await enrolled();
    const agent = await started();
    const flags = agent.status().flags;
    for (const change of [{ requireIdpBinding: true }, { managementUrl: "https://other.example.com" }]) {
      const failure = await askAgent(stateDir, { do: "apply", flags: change }).catch(
        (error: unknown) => error,
      );
      expect(isQfError(failure)).toBe(true);
    }
    expect(agent.status().flags).toEqual(flags);
  });

  test("is one per state folder", async () => {
    await enrolled();
    await started();
    const failure = await startTestAgent(stateDir).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_CONFLICT")).toBe(true);
    expect((await askStatus(stateDir))?.state).toBe("running");
  });

  test("leaves nothing open when its address is taken", async () => {
    await enrolled();
    const first = await started();
    const [taken = ""] = first.status().sshServer.listen;
    const other = join(tempFolder(), "other");
    const setupKey = await management.addSetupKey();
    await prepareTestAgent(other, { managementUrl: management.url, listen: taken, name: "web2" }, setupKey);
    const failure = await startTestAgent(other).catch((error: unknown) => error);
    expect(isQfError(failure, "ERR_ADDRESS_IN_USE")).toBe(true);
    await prepareTestAgent(other, { listen: "127.0.0.1:0", name: "web2" });
    await (await startTestAgent(other)).stop();
  });

  test("stops at the word of its control socket, and says so to others beforehand", async () => {
    await enrolled();
    const agent = await linked();
    await askAgent(stateDir, { do: "down" });
    await agent.stopped;
    agents.splice(0);
    expect(agent.ssh.isClosed).toBe(true);
    expect(await askStatus(stateDir)).toBeUndefined();
    const file = PublicClientFile.parse(
      JSON.parse(readFileSync(join(stateDir, "public/client.json"), "utf8")),
    );
    expect(file.bootId).toBeUndefined();
  });

  test("vouches for a device by who asks, and signs that; not for what it has started itself", async () => {
    await enrolled();
    const agent = await started();
    const request = { do: "vouch", deviceKey: generateEd25519().publicKey } as const;
    const refusal = await askAgent(stateDir, request).catch((error: unknown) => error);
    expect(isQfError(refusal) && refusal.code).toBe("ERR_PERMISSION");
    const client = join(import.meta.dir, "../../../src/agent/control-socket/control-client.ts");
    const code = `import { askAgent } from ${JSON.stringify(client)};
      console.log(JSON.stringify(await askAgent(process.argv[1], JSON.parse(process.argv[2]))));`;
    // Its parent ends first: then it is no descendant of this process, which is the agent.
    const script = '(sleep 0.2; exec "$0" -e "$1" "$2" "$3") &';
    const argv = ["sh", "-c", script, process.execPath, code, stateDir, JSON.stringify(request)];
    const { vouch } = await new Response(Bun.spawn(argv, { stderr: "inherit" }).stdout).json();
    expect(vouch).toMatchObject({
      uid: process.geteuid?.() ?? -1,
      machinePeerId: agent.status().self?.peerId,
    });
  });
});

describe("the state folder", () => {
  test("is closed to others but for its public part", async () => {
    await enrolled();
    await started();
    const modes = (name: string) => statSync(join(stateDir, name)).mode & 0o777;
    expect(modes("")).toBe(0o711);
    for (const name of ["agent.json", "device-key.json", "host-keys.json"]) expect(modes(name)).toBe(0o600);
    expect(modes("audit")).toBe(0o700);
    expect(modes("public")).toBe(0o755);
    expect(modes("public/client.json")).toBe(0o644);
    expect(modes("public/control.sock")).toBe(0o666);
  });

  test.each(["agent.json", "device-key.json", "host-keys.json"])(
    "names a damaged %s, sets it aside, and never makes it anew",
    async (name) => {
      await enrolled();
      const path = join(stateDir, name);
      const good = readFileSync(path);
      writeFileSync(path, "{ not json");
      for (let start = 0; start < 2; start++) {
        const failure = await prepareTestAgent(stateDir, { managementUrl: management.url }).catch(
          (error: unknown) => error,
        );
        expect(isQfError(failure, "ERR_STATE_DAMAGED")).toBe(true);
        expect((failure as Error).message).toContain(path);
      }
      expect(readdirSync(stateDir).filter((file) => file.startsWith(`${name}.damaged-`))).toHaveLength(1);
      expect(existsSync(path)).toBe(false);
      writeFileSync(path, good, { mode: 0o600 });
      await prepareTestAgent(stateDir, {});
    },
  );

  test("gets another map for a damaged one, and says so in the audit log", async () => {
    await enrolled();
    await (await linked()).stop();
    agents.splice(0);
    writeFileSync(join(stateDir, "map.json"), "\0\0\0");
    const agent = await linked();
    expect(agent.status().management.mapVersion).toBeGreaterThan(0);
    await until("the event", async () =>
      (await management.events()).some((event) => event.meta.what === "state_damaged"),
    );
  });

  test("is refused when others may write to it", async () => {
    chmodSync(tempFolder(), 0o700);
    const open = tempFolder();
    chmodSync(open, 0o777);
    const failure = await prepareTestAgent(open, { managementUrl: management.url }, "x").catch(
      (error: unknown) => error,
    );
    expect(isQfError(failure, "ERR_PERMISSION")).toBe(true);
  });

  test("may have a path longer than a socket's name", async () => {
    stateDir = join(tempFolder(), "x".repeat(120));
    await enrolled();
    await started();
    expect((await askStatus(stateDir))?.state).toBe("running");
  });
});
