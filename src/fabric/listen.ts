/**
 * The direct listener: accepts TCP connections and passes on streams with a valid hello.
 *
 * Reads one bounded line and gives it to `check`. It sends nothing before `check` accepts the line, and
 * nothing at all if `check` refuses. Bytes after the line stay in the stream. It decides nothing itself, and
 * counts unproven connections by source address (IPv6 by /64).
 *
 * @module
 */
import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { HELLO_BYTES_MAX, HELLO_TIMEOUT_MS, type Hello } from "../wire/hello.ts";
import { formatHostPort, parseHostPort } from "./host-port.ts";
import { createSourceLimits, type SourceLimitOptions } from "./source-limits.ts";

/** Both addresses of a connection. */
export interface ConnectionEnds {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/**
 * Options for long-lived streams: small packets are sent at once, and the kernel probes an end that is silent
 * for an hour.
 */
export const TCP_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 3_600_000 } as const;

export interface ListenOptions {
  /** `HOST:PORT`; port 0 is any free port. */
  readonly addresses: readonly string[];
  /** A socket that already listens, used for the first address. */
  readonly inheritedFd?: number | undefined;
  readonly clock: Clock;
  /** The verified hello in `line` (without its newline). Null: the connection is closed silently. */
  check(line: string, ends: ConnectionEnds): Hello | null;
  /** Whether to close connections from a source before reading from them. Default: none. */
  refuses?(address: string): boolean;
  /** Called for a connection that was closed at once because of `refuses` or the limits. */
  onTurnedAway?(address: string): void;
  /** Called for a source that did not send a whole line in time. `check` knows about invalid lines. */
  onOffence?(address: string, offence: "invalid-hello" | "grace-exceeded"): void;
  /** Takes over a verified stream, paused, with all bytes after the line still in it. */
  accept(stream: Socket, hello: Hello, ends: ConnectionEnds): void;
  readonly limits?: SourceLimitOptions;
  /** Milliseconds for the whole line. Default HELLO_TIMEOUT_MS. */
  readonly helloTimeoutMs?: number;
}

export interface FabricListener {
  /** The addresses it listens on, `HOST:PORT`, in the requested order. */
  readonly addresses: readonly string[];
  /** Descriptors of the listening sockets, in the same order. */
  descriptors(): number[];
  /** Stops accepting. Pending connections may still prove themselves. */
  leave(): void;
  /** Stops listening and drops unproven connections. Accepted streams continue. */
  close(): void;
}

/** Listens on all of `addresses` or on none. Throws ERR_ADDRESS_IN_USE, ERR_PERMISSION or ERR_USAGE. */
export async function listenFabric(options: ListenOptions): Promise<FabricListener> {
  const limits = createSourceLimits(options.clock, options.limits);
  const unproven = new Set<Socket>();
  const servers: Server[] = [];
  // `close` stops listening at once; its callback would wait for streams that were passed on.
  const leave = () => {
    for (const server of servers) server.close();
  };
  const close = () => {
    for (const socket of unproven) socket.destroy();
    leave();
  };
  try {
    for (const [at, address] of options.addresses.entries()) {
      const server = createServer({ ...TCP_OPTIONS, pauseOnConnect: false }, (socket) => {
        const source = socket.remoteAddress;
        if (source === undefined || options.refuses?.(source) === true || !limits.enter(source)) {
          socket.on("error", () => {});
          socket.destroy();
          if (source !== undefined) options.onTurnedAway?.(source);
          return;
        }
        unproven.add(socket);
        readHello(socket, options, (isProven, offence) => {
          unproven.delete(socket);
          limits.leave(source, isProven);
          if (offence !== undefined) options.onOffence?.(source, offence);
        });
      });
      const fd = at === 0 ? options.inheritedFd : undefined;
      await (fd === undefined ? listenAt(server, address) : listenOn(server, fd));
      servers.push(server);
    }
  } catch (cause) {
    close();
    throw cause;
  }
  return { addresses: servers.map(addressOf), descriptors: () => servers.map(descriptorOf), leave, close };
}

type Settled = (isProven: boolean, offence?: "invalid-hello" | "grace-exceeded") => void;

/** Reads the line and passes the stream on or destroys it. Calls `settled` exactly once. */
function readHello(socket: Socket, options: ListenOptions, settled: Settled): void {
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = (hello: Hello | null, offence?: Parameters<Settled>[1]) => {
    clearTimeout(timer);
    socket.off("readable", onReadable).off("close", onClose).off("end", onClose);
    settled(hello !== null, offence);
    if (hello === null) {
      socket.destroy();
      return;
    }
    socket.off("error", onError);
    options.accept(socket, hello, endsOf(socket));
  };
  // A source that leaves without sending a byte only probed the port.
  const onClose = () => finish(null, length > 0 ? "invalid-hello" : undefined);
  // Kept after a failure: a destroyed socket may still report an error.
  const onError = () => socket.destroy();
  const onReadable = () => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    const newline = chunk.indexOf(0x0a);
    const end = length + (newline === -1 ? chunk.length : newline);
    if (end >= HELLO_BYTES_MAX) return finish(null, "invalid-hello");
    if (newline === -1) {
      chunks.push(chunk);
      length = end;
      return;
    }
    const line = Buffer.concat([...chunks, chunk.subarray(0, newline)]).toString("latin1");
    socket.off("readable", onReadable);
    socket.pause();
    if (newline + 1 < chunk.length) socket.unshift(chunk.subarray(newline + 1));
    finish(options.check(line, endsOf(socket)));
  };
  const timer = setTimeout(() => finish(null, "grace-exceeded"), options.helloTimeoutMs ?? HELLO_TIMEOUT_MS);
  socket.on("error", onError).on("close", onClose).on("end", onClose).on("readable", onReadable);
}

/** Both ends of an accepted socket. */
export function endsOf(socket: Socket): ConnectionEnds {
  return {
    sourceAddress: plainAddress(socket.remoteAddress ?? ""),
    sourcePort: socket.remotePort ?? 0,
    localAddress: plainAddress(socket.localAddress ?? ""),
    localPort: socket.localPort ?? 0,
  };
}

/** `::ffff:192.0.2.1`, as a dual-stack socket reports it, becomes 192.0.2.1. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** Listens at `address`. Throws ERR_ADDRESS_IN_USE, ERR_PERMISSION or ERR_USAGE. */
export async function listenAt(server: Server, address: string, flag = "--listen"): Promise<void> {
  const { host, port } = parseHostPort(address);
  await new Promise<void>((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException) => reject(listenFailure(address, flag, cause));
    server.once("error", onError);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off("error", onError);
      server.on("error", () => {}); // A failed accept concerns one connection.
      resolve();
    });
  });
}

/** Takes over the socket `fd`, which already listens. Throws ERR_UNAVAILABLE. */
export async function listenOn(server: Server, fd: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onError = (cause: Error) =>
      reject(new QfError("ERR_UNAVAILABLE", "a listening socket could not be taken over", { cause }));
    server.once("error", onError);
    server.listen({ fd }, () => {
      server.off("error", onError);
      server.on("error", () => {}); // As above.
      resolve();
    });
  });
}

/** The descriptor of a listening socket. Bun keeps it on the handle, which its types lack. */
export function descriptorOf(server: Server): number {
  return (server as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd ?? -1;
}

function listenFailure(address: string, flag: string, cause: NodeJS.ErrnoException): QfError {
  if (cause.code === "EADDRINUSE") {
    return new QfError("ERR_ADDRESS_IN_USE", `${address} is already in use`, {
      hint: `choose another with ${flag} HOST:PORT, or stop what listens there`,
      cause,
    });
  }
  if (cause.code === "EACCES") {
    return new QfError("ERR_PERMISSION", `may not listen on ${address}`, {
      hint: `ports below 1024 need root; choose another with ${flag} HOST:PORT`,
      cause,
    });
  }
  return new QfError("ERR_USAGE", `cannot listen on ${address}`, {
    hint: "the host must be an address of this machine",
    cause,
  });
}

/** The address it listens at, as `HOST:PORT`. Empty when it does not. */
export function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") return "";
  return formatHostPort(address.address, address.port);
}
