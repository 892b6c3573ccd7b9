/**
 * Many machines that do nothing but hold their links to management, control and relay, in a process of
 * their own: `bun idle-agents.ts URL SETUP_KEY COUNT`. Enrols them and says `enrolled`; a line `control` or
 * `relay` on stdin has all of them open that link, and is answered with the word and how many did.
 */
import { nowSeconds, systemClock } from "../../src/base/clock.ts";
import { type Ed25519Key, generateEd25519, signEd25519 } from "../../src/base/ed25519.ts";
import { newId } from "../../src/base/random.ts";
import { offerToRelay, signRelayServe } from "../../src/fabric/relay-client.ts";
import { HEARTBEAT_MS, type ManagementMessage } from "../../src/wire/agent-sync.ts";
import { signedBytes } from "../../src/wire/signed-fields.ts";
import { PROTOCOL_VERSION } from "../../src/wire/version.ts";
import { openSignedClient } from "../support/signed-client.ts";

interface IdleAgent {
  readonly peerId: string;
  readonly deviceKey: Ed25519Key;
  readonly scope: { readonly accountId: string; readonly origin: string };
}

const WIDTH = 4;
const FLAGS = {
  ...{ sshServer: true, sshRoot: false, sshSftp: false, sshLocalForwarding: false, sshAuth: true },
  ...{ sshRemoteForwarding: false, offlineLogins: false, requireIdpBinding: false, privileged: true },
  ownUser: "root",
};
const FACTS = { hostname: "idle", os: "linux", kernelVersion: "6.1", version: "0.1.0" };

/** Each from an address of its own, as management's proxy says: one address may not enrol a thousand. */
async function enrol(url: string, setupKey: string, index: number): Promise<IdleAgent> {
  const headers = { "x-forwarded-for": `192.0.${2 + (index >> 8)}.${index & 255}` };
  const client = await openSignedClient(url, { deviceKey: generateEd25519(), headers });
  const { peerId } = await client.enrol({ name: `idle${index}`, setupKey });
  return { peerId, deviceKey: client.deviceKey, scope: client.scope };
}

/** The control link, as an agent without people keeps it. True once it has its map. */
function holdControl(agent: IdleAgent): Promise<boolean> {
  const { peerId, deviceKey, scope } = agent;
  const socket = new WebSocket(
    `${scope.origin.replace("http", "ws")}/agent/v1/sync?account=${scope.accountId}`,
  );
  const send = (message: object) => socket.send(JSON.stringify(message));
  return new Promise((resolve) => {
    socket.onclose = () => resolve(false);
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as ManagementMessage;
      if (message.type === "welcome") send(identity(agent, message.challenge));
      else if (message.type === "delta") send({ type: "ack", version: message.delta.toVersion });
      else if (message.type === "map") {
        send({ type: "ack", version: message.map.version });
        setInterval(() => send({ type: "ping", sentMs: systemClock.nowMs() }), HEARTBEAT_MS);
        resolve(true);
      }
    };
  });

  function identity({ deviceKey: key }: IdleAgent, challenge: string): object {
    const bootId = newId();
    return {
      type: "identify",
      protocolVersion: PROTOCOL_VERSION,
      peerId,
      bootId,
      signature: signEd25519(key, signedBytes("sync", scope, { challenge, peerId, bootId })),
      ...{ epoch: 0, version: 0, facts: FACTS, flags: FLAGS, hostKeys: [hostKeyOf(deviceKey)] },
      ...{ direct: [], nextAuditSeq: 1 },
    };
  }
}

function holdRelay({ peerId, deviceKey, scope }: IdleAgent): Promise<boolean> {
  return new Promise((resolve) => {
    offerToRelay({
      origin: scope.origin,
      proof: signRelayServe({ deviceKey, scope, peerId, nowSeconds: nowSeconds(systemClock) }),
      onUp: () => resolve(true),
      onDown: () => resolve(false),
      onStream: () => false,
    });
  });
}

function hostKeyOf(key: Ed25519Key): string {
  return Buffer.concat([
    Buffer.from("0000000b7373682d6564323535313900000020", "hex"),
    Buffer.from(key.publicKey, "base64url"),
  ]).toString("base64");
}

async function inTurns<T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) results.push(await act(next++));
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
  return results;
}

const [url = "", setupKey = "", count = "0"] = process.argv.slice(2);
const agents = await inTurns(Number(count), (index) => enrol(url, setupKey, index));
process.stdout.write("enrolled\n");
for await (const line of console) {
  const hold = line === "control" ? holdControl : holdRelay;
  const held = await inTurns(agents.length, async (index) => {
    const agent = agents[index];
    return agent !== undefined && (await hold(agent));
  });
  process.stdout.write(`${line} ${held.filter(Boolean).length}\n`);
}
