/**
 * Streams from the peer for its `-R` listeners, and their destinations here.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Channel } from "ssh2";
import type { Connection } from "./connect.ts";
import { describeEndpoint, type Endpoint, type ForwardSpec } from "./forward-spec.ts";
import { joinStreams } from "./join.ts";
import { readSocks } from "./socks-stream.ts";
import { connected, openUnixSocket } from "./unix-socket.ts";

/** Time limit for connecting to a local destination. */
const DIAL_TIMEOUT_MS = 30_000;

export interface StreamWatch {
  /** A line for the person. */
  say(line: string): void;
  /** Called when a stream begins; it ends when `done` resolves. */
  onStream(done: Promise<void>): void;
}

/** Accepts streams for `remotes`, which may grow, and no others. */
export function listenToPeer(
  { client }: Connection,
  remotes: readonly ForwardSpec[],
  watch: StreamWatch,
): void {
  client.on("tcp connection", ({ destIP, destPort }, accept, reject) => {
    const spec = remotes.find(
      ({ listen }) => listen.kind === "tcp" && listen.host === destIP && listen.port === destPort,
    );
    takeStream(spec, accept, reject, watch);
  });
  client.on("unix connection", ({ socketPath }, accept, reject) => {
    const spec = remotes.find(({ listen }) => listen.kind === "unix" && listen.path === socketPath);
    takeStream(spec, accept, reject, watch);
  });
}

function takeStream(
  spec: ForwardSpec | undefined,
  accept: () => Channel,
  reject: () => void,
  watch: StreamWatch,
): void {
  if (spec === undefined) reject();
  else if (spec.connect === null) void serveSocks(accept(), watch);
  else dial(spec.connect, (socket) => watch.onStream(joinStreams(socket, accept())), reject, watch);
}

/** `-R port` alone: the peer's programs name their destinations by SOCKS. */
async function serveSocks(channel: Channel, watch: StreamWatch): Promise<void> {
  channel.on("error", () => {});
  try {
    const wish = await readSocks(channel);
    const refuse = (): void => {
      channel.end(wish.refused);
      channel.close();
    };
    const onConnected = (socket: Duplex): void => {
      channel.write(wish.granted);
      watch.onStream(joinStreams(socket, channel));
    };
    dial(wish.target, onConnected, refuse, watch);
  } catch {
    channel.close();
  }
}

function dial(
  target: Endpoint,
  onConnected: (socket: Duplex) => void,
  onFailed: () => void,
  watch: StreamWatch,
): void {
  const opening: Promise<Duplex> =
    target.kind === "unix" ? openUnixSocket(target.path, DIAL_TIMEOUT_MS) : openTcpSocket(target);
  opening.then(onConnected, () => {
    watch.say(`qf: error: cannot connect to ${describeEndpoint(target)} here`);
    onFailed();
  });
}

function openTcpSocket({ host, port }: Endpoint & { kind: "tcp" }): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const timer = setTimeout(() => socket.destroy(new Error("no answer")), DIAL_TIMEOUT_MS);
  return connected(socket).finally(() => clearTimeout(timer));
}
