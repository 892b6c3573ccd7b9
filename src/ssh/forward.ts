/**
 * Forwards of `qf ssh`: local listeners, and streams from the peer.
 *
 * The peer decides whether a stream is allowed, and its reason is shown. Only the loopback is bound unless
 * the command line says otherwise.
 *
 * @module
 */
import { createServer, type Server, type Socket } from "node:net";
import type { Channel } from "ssh2";
import { QfError } from "../base/errors.ts";
import { openOutput } from "../base/output.ts";
import { printable } from "../base/printable.ts";
import type { Connection } from "./connect.ts";
import { describeEndpoint, describeListen, type Endpoint, type ForwardSpec } from "./forward-spec.ts";
import { joinStreams } from "./join.ts";
import { listenToPeer, type StreamWatch } from "./peer-streams.ts";
import { readSocks } from "./socks-stream.ts";

export interface ForwardOptions {
  /** Fail if one of the forwards cannot be set up. */
  readonly exitOnFailure: boolean;
  /** A line for the person, an error or a notice. */
  say(line: string): void;
}

/** Most open connections; further ones wait in the kernel's queue. */
const STREAMS_MAX = 512;
const SOCKET_UMASK = 0o177;
/** ssh2's prefix to the peer's message. */
const OPEN_FAILURE_PREFIX = /^\(SSH\) Channel open failure: /;

export interface Forwards {
  /** Stops listening. */
  end(): void;
  /** Resolves when no stream is open. */
  drained(): Promise<void>;
}

/** Sets up all of `specs`. Throws ERR_SSH with `exitOnFailure`. */
export async function startForwards(
  connection: Connection,
  specs: readonly ForwardSpec[],
  options: ForwardOptions,
): Promise<Forwards> {
  const streams = new Set<Promise<void>>();
  const watch: StreamWatch = {
    say: (line) => options.say(line),
    onStream: (done) => {
      streams.add(done);
      void done.then(() => streams.delete(done));
    },
  };
  const servers: Server[] = [];
  const remotes: ForwardSpec[] = [];
  const end = (): void => {
    for (const server of servers) server.close();
  };
  listenToPeer(connection, remotes, watch);
  for (const spec of specs) {
    try {
      if (spec.direction === "local") servers.push(...(await listenHere(connection, spec, watch)));
      else remotes.push(await listenThere(connection, spec, options));
    } catch (cause) {
      const failure = cause instanceof QfError ? cause : cannotBind(spec, cause);
      if (options.exitOnFailure) {
        end();
        throw failure;
      }
      options.say(`qf: error: ${failure.message}`);
      if (failure.hint !== undefined) options.say(`qf: hint: ${failure.hint}`);
    }
  }
  return {
    end,
    async drained() {
      while (streams.size > 0) await Promise.all(streams);
    },
  };
}

/** Joins our stdin and stdout to a stream; resolves to the exit status. Throws ERR_SSH. */
export async function runStdioForward(connection: Connection, target: Endpoint): Promise<number> {
  const channel = await openStream(connection, target);
  const output = openOutput(1);
  const closed = new Promise<void>((resolve) => {
    channel.once("close", () => resolve());
    output.once("error", () => resolve());
  });
  const flushed = new Promise<void>((resolve) => {
    output.once("finish", () => resolve()).once("error", () => resolve());
  });
  process.stdin.on("error", () => channel.end());
  // stdout cannot be closed alone, so the end of the other side ends this process.
  channel.once("end", () => channel.close());
  process.stdin.pipe(channel);
  channel.pipe(output);
  const failure = await Promise.race([closed, connection.closed]);
  if (failure !== undefined) throw failure;
  await flushed;
  process.stdin.unpipe(channel);
  process.stdin.pause();
  return 0;
}

/** `-W`: a stream to `target` through the peer. Throws ERR_SSH with the peer's reason. */
export function openStream(connection: Connection, target: Endpoint): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const onChannel = (error: Error | undefined, channel: Channel): void => {
      if (error) reject(refusal(error, target));
      else resolve(channel);
    };
    void connection.closed.then((failure) =>
      reject(failure ?? new QfError("ERR_SSH", "the connection ended")),
    );
    try {
      if (target.kind === "unix") connection.client.openssh_forwardOutStreamLocal(target.path, onChannel);
      else connection.client.forwardOut("127.0.0.1", 0, target.host, target.port, onChannel);
    } catch (cause) {
      reject(new QfError("ERR_SSH", "the connection ended", { cause }));
    }
  });
}

async function listenHere(connection: Connection, spec: ForwardSpec, watch: StreamWatch): Promise<Server[]> {
  const onSocket = (socket: Socket): void => {
    socket.on("error", () => {});
    void serve(connection, spec.connect, socket, watch);
  };
  if (spec.listen.kind === "unix") return [await listen(onSocket, { path: spec.listen.path })];
  const { host, port } = spec.listen;
  const [first = "", ...others] = bindAddresses(host);
  const servers = [await listen(onSocket, { host: first, port })];
  for (const other of others) {
    // A machine without IPv6 has the first one only.
    const server = await listen(onSocket, { host: other, port }).catch(() => undefined);
    if (server !== undefined) servers.push(server);
  }
  return servers;
}

function bindAddresses(host: string | undefined): string[] {
  if (host === undefined || host === "localhost") return ["127.0.0.1", "::1"];
  return host === "" ? ["0.0.0.0", "::"] : [host];
}

function listen(
  onSocket: (socket: Socket) => void,
  at: { host: string; port: number } | { path: string },
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, onSocket);
  server.maxConnections = STREAMS_MAX;
  // The socket is private to its owner. The umask is process-wide, so it is set only for this call.
  const before = "path" in at ? process.umask(SOCKET_UMASK) : undefined;
  return new Promise<Server>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...at, ipv6Only: true, exclusive: true }, () => {
      server.off("error", reject);
      server.on("error", () => {});
      resolve(server);
    });
  }).finally(() => {
    if (before !== undefined) process.umask(before);
  });
}

/** Serves one connection to a local listener. */
async function serve(
  connection: Connection,
  target: Endpoint | null,
  socket: Socket,
  watch: StreamWatch,
): Promise<void> {
  try {
    const wish =
      target === null ? await readSocks(socket) : { target, granted: undefined, refused: undefined };
    const channel = await openStream(connection, wish.target).catch((cause: unknown) => {
      if (wish.refused !== undefined) socket.end(wish.refused);
      throw cause;
    });
    if (wish.granted !== undefined) socket.write(wish.granted);
    watch.onStream(joinStreams(socket, channel));
  } catch (cause) {
    socket.destroySoon();
    if (cause instanceof QfError) watch.say(`qf: error: ${cause.message}`);
  }
}

/** Asks the peer to listen. Resolves to the forward with the actual port. */
function listenThere(
  connection: Connection,
  spec: ForwardSpec,
  options: ForwardOptions,
): Promise<ForwardSpec> {
  const { client } = connection;
  const { listen } = spec;
  return new Promise((resolve, reject) => {
    if (listen.kind === "unix") {
      client.openssh_forwardInStreamLocal(listen.path, (error) => (error ? reject(error) : resolve(spec)));
      return;
    }
    const { host = "localhost", port } = listen;
    client.forwardIn(host, port, (error, taken) => {
      if (error) return reject(error);
      // ssh(1)'s wording, which scripts look for.
      if (port === 0) options.say(`Allocated port ${taken} for remote forward to ${remoteTarget(spec)}`);
      resolve({ ...spec, listen: { kind: "tcp", host, port: taken } });
    });
  });
}

function remoteTarget({ connect }: ForwardSpec): string {
  return connect === null ? "SOCKS" : describeEndpoint(connect);
}

function cannotBind({ direction, listen }: ForwardSpec, cause: unknown): QfError {
  const where = describeListen(listen);
  const what = listen.kind === "unix" ? `Cannot bind to ${where}` : `Cannot bind to port ${where}`;
  if (direction === "remote") {
    return new QfError("ERR_SSH", `${what} on the peer`, {
      hint: "it may be taken there, or remote forwarding is not allowed by the peer's flags or the policy",
      cause,
    });
  }
  const { code } = cause as NodeJS.ErrnoException;
  const hint = code === "EACCES" ? "ports below 1024 are for root" : "it is in use here; choose another";
  return new QfError("ERR_SSH", what, { hint, cause });
}

/** The peer's own sentence, which includes the next step. */
function refusal(error: Error, target: Endpoint): QfError {
  const text = printable(error.message.replace(OPEN_FAILURE_PREFIX, "")).trim();
  const said = text === "" ? "no reason given" : text;
  return new QfError("ERR_SSH", `${describeEndpoint(target)}: ${said}`, { cause: error });
}
