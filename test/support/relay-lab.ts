/**
 * A relay on a free port over a real store, with machines and devices whose ends are played by the test.
 */
import { connect, type Socket } from "node:net";
import type { Server } from "bun";
import { nowSeconds, systemClock } from "../../src/base/clock.ts";
import type { Ed25519Key } from "../../src/base/ed25519.ts";
import { makeHello } from "../../src/fabric/hello.ts";
import {
  dialRelay,
  offerToRelay,
  type RelayOffer,
  signRelayDial,
  signRelayServe,
} from "../../src/fabric/relay-client.ts";
import type { RelayStream } from "../../src/fabric/relay-stream.ts";
import type { ManagementContext } from "../../src/management/contracts/context.ts";
import { createRelayHub } from "../../src/management/relay/hub.ts";
import type { RelayLimits } from "../../src/management/relay/limits.ts";
import { listenPlain } from "../../src/management/relay/plain-listener.ts";
import type { RelayHub, RelaySocketData } from "../../src/management/relay/relay-hub.ts";
import type { ClusterAddress } from "../../src/management/relay/tunnel-listener.ts";
import { openTunnels, type Tunnels } from "../../src/management/relay/tunnels.ts";
import {
  RELAY_AGENT_PATH,
  RELAY_CLIENT_PATH,
  RELAY_FRAME_BYTES_MAX,
  RELAY_HELLO_HEADER,
  RELAY_PROOF_HEADER,
} from "../../src/wire/relay.ts";
import { relayLine } from "../../src/wire/relay-plain.ts";
import type { TestPeer } from "./peer-row.ts";
import type { TestManagement } from "./running-management.ts";
import { until } from "./until.ts";

export interface RelayLab {
  readonly hub: RelayHub;
  readonly origin: string;
  /** Null: a process alone. */
  readonly tunnels: Tunnels | null;
  /** Takes the machine's side; `onStream` gets each stream that comes in. */
  offer(
    machine: TestPeer,
    onStream: (stream: RelayStream) => void,
    /** Absent: a fresh one of the machine's own. */
    proof?: string,
  ): Promise<RelayOffer & { isUp(): boolean }>;
  /** What a machine shows to offer itself. */
  proofOf(machine: TestPeer): string;
  dial(device: TestPeer, target: TestPeer, change?: DialChange): Promise<RelayStream>;
  /** A socket of the client's side with the handshake done, that reads only what it is told to. */
  rawDial(device: TestPeer, target: TestPeer): Promise<RawSocket>;
  /** A plain connection of the client's side, with its line sent; paused. */
  plainDial(device: TestPeer, target: TestPeer, change?: DialChange): Promise<Socket>;
  /** Of the plain listener. */
  readonly plainPort: number;
  close(): Promise<void>;
}

export interface DialChange {
  readonly port?: number;
  readonly timeSeconds?: number;
  /** Signs the relay's proof; absent: the device's own. */
  readonly proofKey?: Ed25519Key;
  readonly hello?: string;
  readonly source?: string;
  /** Where the relay is dialled; absent: where it is. */
  readonly at?: string;
}

/** One of several processes, all of which have the key and the public origin. */
export interface LabCluster {
  readonly key: Ed25519Key;
  readonly origin: string;
  readonly listen?: ClusterAddress | null;
}

export async function openRelayProcess(
  management: Pick<TestManagement, "context" | "accountId">,
  { key, origin, listen = { hostname: "127.0.0.1", port: 0 } }: LabCluster,
  limits: Partial<RelayLimits> = {},
): Promise<RelayLab> {
  const lab = openRelayLab(management, limits, origin);
  const { context } = management;
  const { cluster } = context.store;
  if (cluster === null) throw new Error("there is no cluster on this store");
  const { host } = lab.hub;
  const tunnels = await openTunnels({ ...context, origin, cluster, key: async () => key, host, listen });
  lab.hub.join(tunnels);
  return { ...lab, tunnels };
}

export function openRelayLab(
  management: Pick<TestManagement, "context" | "accountId">,
  limits: Partial<RelayLimits> = {},
  publicOrigin?: string,
): RelayLab {
  let hub: RelayHub | undefined;
  const server: Server<RelaySocketData> = Bun.serve<RelaySocketData>({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => {
      const { pathname } = new URL(request.url);
      const isAgent = pathname === RELAY_AGENT_PATH;
      const answer = isAgent ? hub?.serve(request, self, "127.0.0.1") : hub?.dial(request, self, "127.0.0.1");
      return answer ?? new Response("", { status: 503 });
    },
    websocket: {
      maxPayloadLength: RELAY_FRAME_BYTES_MAX,
      idleTimeout: 15,
      open: (socket) => hub?.websocket.open?.(socket),
      message: (socket, data) => hub?.websocket.message?.(socket, data),
      drain: (socket) => hub?.websocket.drain?.(socket),
      close: (socket, code, reason) => hub?.websocket.close?.(socket, code, reason),
    },
  });
  const origin = `http://127.0.0.1:${server.port}`;
  const signedOrigin = publicOrigin ?? origin;
  const context: ManagementContext = { ...management.context, origin: signedOrigin };
  const made = createRelayHub(context, limits);
  hub = made;
  const plain = listenPlain({ hostname: "127.0.0.1", port: 0 });
  plain.open(made.plainHost);
  const scope = { accountId: management.accountId, origin: signedOrigin };
  const helloOf = (device: TestPeer, target: TestPeer, change: DialChange = {}) =>
    change.hello ??
    makeHello({
      deviceKey: device.key,
      scope,
      source: change.source ?? device.row.id,
      target: target.row.id,
      port: change.port ?? 22,
      nowSeconds: change.timeSeconds ?? nowSeconds(systemClock),
    });
  const proofOf = ({ key, row }: TestPeer) =>
    signRelayServe({ deviceKey: key, scope, peerId: row.id, nowSeconds: nowSeconds(systemClock) });
  const offers: RelayOffer[] = [];
  return {
    hub: made,
    tunnels: null,
    origin,
    proofOf,
    async offer(machine, onStream, proof) {
      let isUp: boolean | undefined;
      const offer = offerToRelay({
        origin,
        proof: proof ?? proofOf(machine),
        onUp: () => {
          isUp = true;
        },
        onDown: () => {
          isUp = false;
        },
        onStream: (_open, stream) => {
          stream.on("error", () => {});
          onStream(stream);
          return true;
        },
      });
      offers.push(offer);
      await until("the link", () => isUp !== undefined);
      return Object.assign(offer, { isUp: () => isUp === true });
    },
    async dial(device, target, change) {
      const hello = helloOf(device, target, change).trimEnd();
      const proof = signRelayDial(change?.proofKey ?? device.key, scope, hello);
      const stream = await dialRelay({ origin: change?.at ?? origin, hello, proof, timeoutMs: 5_000 });
      return stream.on("error", () => {});
    },
    async rawDial(device, target) {
      const hello = helloOf(device, target).trimEnd();
      return openRaw(Number(server.port), {
        [RELAY_HELLO_HEADER]: hello,
        [RELAY_PROOF_HEADER]: signRelayDial(device.key, scope, hello),
      });
    },
    plainPort: plain.port,
    async plainDial(device, target, change) {
      const hello = helloOf(device, target, change).trimEnd();
      const proof = signRelayDial(change?.proofKey ?? device.key, scope, hello);
      const socket = connect({ port: plain.port, host: "127.0.0.1", allowHalfOpen: true });
      socket.on("error", () => {}).pause();
      await new Promise<void>((resolve) => socket.once("connect", resolve));
      socket.write(relayLine({ hello, proof }));
      return socket;
    },
    async close() {
      for (const offer of offers) offer.close();
      plain.close();
      await made.close();
      await server.stop(true);
    },
  };
}

/** A WebSocket by hand. */
export class RawSocket {
  readonly socket: Socket;
  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Sends one binary message, masked with zeros; `opcode` makes another frame of it (RFC 6455, 5.2). */
  send(message: Uint8Array, opcode = 0x82): void {
    const { length } = message;
    const extended = length > 65_535 ? 8 : length > 125 ? 2 : 0;
    const header = Buffer.alloc(2 + extended + 4);
    header[0] = opcode;
    header[1] = 0x80 | (extended === 8 ? 127 : extended === 2 ? 126 : length);
    if (extended === 2) header.writeUInt16BE(length, 2);
    if (extended === 8) header.writeBigUInt64BE(BigInt(length), 2);
    if (!this.socket.destroyed) this.socket.write(Buffer.concat([header, message]));
  }
}

async function openRaw(port: number, headers: Record<string, string>): Promise<RawSocket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const lines = [
    `GET ${RELAY_CLIENT_PATH} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${Buffer.from("0123456789abcdef").toString("base64")}`,
    "Sec-WebSocket-Version: 13",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const answer = await new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
  if (!answer.startsWith("HTTP/1.1 101")) throw new Error(answer.split("\r\n")[0]);
  socket.pause();
  return new RawSocket(socket);
}
