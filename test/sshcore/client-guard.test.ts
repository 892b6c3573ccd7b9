/** What a server may say to a client of ours, and when: a rogue server says everything else. */
import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import ssh2, { type Connection } from "ssh2";
import { makeEd25519HostKey } from "../../src/agent/state/host-keys.ts";
import { ALGORITHMS } from "../../src/sshcore/algorithms.ts";
import { guardClient } from "../../src/sshcore/guard.ts";
import { kexInit, plainPacket, plausible } from "../support/raw-ssh.ts";
import { settles } from "../support/until.ts";

const hostKey = makeEd25519HostKey();
/** Every kind of message there is before and after signing in. */
const TYPES = [
  ...[2, 3, 4, 5, 6, 7, 20, 21, 30, 31, 50, 51, 52, 53, 60, 61, 80, 81, 82],
  ...[90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 127, 192],
];
const ACCEPT = plausible(6);

interface State {
  readonly state: string;
  /** What the server has said before. */
  readonly said: readonly Buffer[];
  /** Whether keys are in force. */
  readonly isKeyed: boolean;
  readonly taken: readonly number[];
}

const STATES: readonly State[] = [
  { state: "first", said: [], isKeyed: false, taken: [20] },
  {
    state: "kex",
    said: [kexInit({ kex: "curve25519-sha256,kex-strict-s-v00@openssh.com" })],
    isKeyed: false,
    taken: [31],
  },
  // ssh2's server has said EXT_INFO by itself.
  { state: "service", said: [], isKeyed: true, taken: [2, 3, 4, 6] },
  { state: "auth", said: [ACCEPT], isKeyed: true, taken: [2, 3, 4, 7, 51, 52, 53, 60] },
];

describe.each(STATES)("in state $state", ({ state, said, isKeyed, taken }) => {
  test("every message out of its place ends the connection, and nobody is signed in", async () => {
    const wrong: string[] = [];
    for (const type of TYPES.filter((type) => !taken.includes(type))) {
      const outcome = await whatComesOf([...said, plausible(type)], isKeyed);
      if (outcome !== `message ${type} in state ${state}`) wrong.push(`${type}: ${outcome}`);
    }
    expect(wrong).toEqual([]);
  });
});

test("a server's success counts only after the client has asked for the service", async () => {
  expect(await whatComesOf([plausible(52)], true)).toBe("message 52 in state service");
  expect(await whatComesOf([ACCEPT, plausible(52)], true)).toBe("ready");
});

/** What our client makes of a server that says `payloads`: its violation, or `ready`. */
async function whatComesOf(payloads: readonly Buffer[], isKeyed: boolean): Promise<string> {
  await using server = isKeyed ? await keyedServer(payloads) : await plainServer(payloads);
  const client = new ssh2.Client();
  const outcome = Promise.withResolvers<string>();
  client
    .on("error", () => {})
    .on("ready", () => outcome.resolve("ready"))
    .on("close", () => outcome.resolve("closed without a word"))
    .connect({
      host: "127.0.0.1",
      port: server.port,
      username: "root",
      password: "x",
      algorithms: { ...ALGORITHMS, kex: ["curve25519-sha256"] } as ssh2.Algorithms,
    });
  guardClient(client, { onViolation: outcome.resolve, limits: { lingerMs: 50 } });
  const what = (await settles(outcome.promise)) ? await outcome.promise : "still open";
  client.destroy();
  return what;
}

interface RogueServer extends AsyncDisposable {
  readonly port: number;
}

/** Says its identification and `payloads` in the clear. */
async function plainServer(payloads: readonly Buffer[]): Promise<RogueServer> {
  const server = createServer((socket) => {
    socket.on("error", () => {}).resume();
    socket.write("SSH-2.0-rogue\r\n");
    socket.write(Buffer.concat(payloads.map(plainPacket)));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  return { port, [Symbol.asyncDispose]: () => new Promise((done) => void server.close(() => done())) };
}

/** Says `payloads` once keys are in force, and answers nothing. */
async function keyedServer(payloads: readonly Buffer[]): Promise<RogueServer> {
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
    connection.on("error", () => {}).on("handshake", () => say(connection, payloads));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()));
  const { port } = server.address() as { port: number };
  return { port, [Symbol.asyncDispose]: () => new Promise((done) => void server.close(() => done())) };
}

interface Inside {
  readonly _protocol: {
    readonly _packetRW: {
      readonly write: { allocStart: number; alloc(bytes: number): Buffer; finalize(packet: Buffer): Buffer };
    };
    readonly _cipher: { encrypt(packet: Buffer): void };
    inspectPayload: (payload: Buffer) => true | undefined;
  };
}

function say(connection: Connection, payloads: readonly Buffer[]): void {
  const { _protocol: protocol } = connection as unknown as Inside;
  protocol.inspectPayload = () => undefined;
  for (const payload of payloads) {
    const { write } = protocol._packetRW;
    const packet = write.alloc(payload.length);
    packet.set(payload, write.allocStart);
    protocol._cipher.encrypt(write.finalize(packet));
  }
}
