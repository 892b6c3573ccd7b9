/**
 * The forward helper: a process that runs as the local user and opens sockets as that user, for an agent that
 * must not. It moves no data; it passes each connected or accepted socket to the agent as a descriptor.
 *
 * It ends when its orders do, and removes the unix sockets that it made.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { closeSync, mkdtempSync, rmSync } from "node:fs";
import { adoptSocket } from "../../base/adopt-socket.ts";
import { sendDescriptor } from "../../base/descriptors.ts";
import { connectTcp, openTcpSocket } from "../../base/tcp-connect.ts";
import { connectUnix } from "../../base/unix-connect.ts";
import {
  createLines,
  DIAL_TIMEOUT_MS,
  DOOR_ADDRESSES_MAX,
  DOOR_FD,
  type ForwardHelperAnswer,
  type ForwardHelperOrder,
  failureOf,
  SOCKETS_MAX,
} from "./forward-helper-protocol.ts";

/** Head start of one address of a name before the next one is tried as well. */
const STAGGER_MS = 2_000;
/** Owner only, as sshd's default StreamLocalBindMask. */
const SOCKET_UMASK = 0o177;
/** Where sshd makes its agent sockets. */
const AGENT_FOLDER = "/tmp/ssh-";

interface Listener {
  stop(): void;
}
/** The agent's socket: stdin, which is also stdout. */
const AGENT_FD = 0;
const listeners = new Map<number, Listener>();

/** Connection to the agent, over the socket that is stdin and stdout. */
let agent: Bun.Socket | null = null;
/** Answers not yet accepted by the socket. */
let unsent = Buffer.alloc(0);

/** Serves orders from stdin until it closes. Returns the exit status. */
export async function runForwardHelper(): Promise<number> {
  const lines = createLines();
  const ended = Promise.withResolvers<void>();
  const end = (): void => ended.resolve();
  agent = await adoptSocket(AGENT_FD, {
    data(_socket, data) {
      for (const line of lines(data)) void take(JSON.parse(line) as ForwardHelperOrder);
    },
    drain: flush,
    end,
    close: end,
    error: end,
  });
  await ended.promise;
  for (const listener of listeners.values()) listener.stop();
  return 0;
}

async function take(order: ForwardHelperOrder): Promise<void> {
  try {
    const answer = await carryOut(order);
    if (answer !== null) tell(answer);
  } catch (cause) {
    tell({ id: order.id, kind: "failed", failure: failureOf(cause) });
  }
}

async function carryOut(order: ForwardHelperOrder): Promise<ForwardHelperAnswer | null> {
  const { id } = order;
  switch (order.kind) {
    case "resolve":
      return { id, kind: "resolved", addresses: await resolve(order.host) };
    case "dial":
      await dial(id, order.addresses, order.port);
      return null;
    case "dialSocket":
      await dialSocket(id, order.path);
      return null;
    case "sockets":
      openSockets(id, order.family, Math.min(order.count, SOCKETS_MAX));
      return null;
    case "listen":
      return { id, kind: "listening", port: listenTcp(id, order.addresses, order.port), path: "" };
    case "listenSocket":
      listenUnix(id, order.path);
      return { id, kind: "listening", port: 0, path: order.path };
    case "listenAgent":
      return { id, kind: "listening", port: 0, path: listenAgent(id) };
    case "close":
      listeners.get(id)?.stop();
      listeners.delete(id);
      return null;
  }
}

function tell(answer: ForwardHelperAnswer): void {
  unsent = Buffer.concat([unsent, Buffer.from(`${JSON.stringify(answer)}\n`)]);
  flush();
}

function flush(): void {
  if (unsent.length > 0) unsent = unsent.subarray(Math.max(0, agent?.write(unsent) ?? 0));
}

async function resolve(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return found.slice(0, DOOR_ADDRESSES_MAX).map(({ address }) => address);
}

interface Target {
  readonly address: string;
  readonly port: number;
}

/** Over once an address has answered or the time is up. */
interface Race {
  isOver: boolean;
}

/** Passes on the first address that answers. The next one is tried when one fails or is slow. */
async function dial(id: number, addresses: readonly string[], port: number): Promise<void> {
  const race: Race = { isOver: false };
  const tries: Promise<void>[] = [];
  const all = async (): Promise<void> => {
    for (const address of addresses) {
      if (race.isOver) return;
      const attempt = connect(id, { address, port }, race);
      tries.push(attempt);
      await within(
        STAGGER_MS,
        attempt.catch(() => {}),
      );
    }
    await Promise.any(tries).catch((cause: AggregateError) => {
      throw cause.errors[0];
    });
  };
  try {
    if (
      (await within(
        DIAL_TIMEOUT_MS,
        all().then(() => "done"),
      )) === undefined
    ) {
      throw Object.assign(new Error("too late"), { code: "ETIMEDOUT" });
    }
  } finally {
    race.isOver = true;
  }
}

/** The result of `task`. Undefined: it took longer. Clears its timer. */
async function within<T>(ms: number, task: Promise<T>): Promise<T | undefined> {
  let timer: Timer | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([task, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function dialSocket(id: number, path: string): Promise<void> {
  passSocket(await connectUnix(path, DIAL_TIMEOUT_MS));
  tell({ id, kind: "dialed", passes: 1 });
}

/** Passes unconnected sockets on, which stay this process's user's. Throws when there is none. */
function openSockets(id: number, family: 4 | 6, count: number): void {
  let passes = 0;
  try {
    for (; passes < count; passes++) passSocket(openTcpSocket(family));
  } catch (cause) {
    if (passes === 0) throw cause;
  }
  // At once: descriptors of another order would be taken for these.
  tell({ id, kind: "sockets", passes });
}

function passSocket(fd: number): void {
  try {
    sendDescriptor(DOOR_FD, fd);
  } finally {
    closeSync(fd);
  }
}

/** Connects and passes the descriptor on, unless another address was first or time is up. */
async function connect(id: number, target: Target, race: Race): Promise<void> {
  const fd = await connectTcp(target.address, target.port, () => !race.isOver);
  if (fd === null) return;
  try {
    if (race.isOver) return;
    race.isOver = true;
    sendDescriptor(DOOR_FD, fd);
  } finally {
    closeSync(fd);
  }
  tell({ id, kind: "dialed", passes: 1 });
}

/** Hands the connection over. Closing this process's descriptor does not end the stream. */
function pass(socket: object, answer: ForwardHelperAnswer): void {
  // Missing in Bun's types: the descriptor, and a close that sends nothing.
  const { fd } = socket as { readonly fd: number };
  sendDescriptor(DOOR_FD, fd);
  tell(answer);
  (socket as { close(): void }).close();
}

function listenTcp(id: number, addresses: readonly string[], port: number): number {
  const [first = "", ...others] = addresses;
  const main = listen(id, { hostname: first, port }) as Bun.TCPSocketListener;
  const all: Listener[] = [stopper(main)];
  for (const hostname of others) {
    try {
      all.push(stopper(listen(id, { hostname, port: main.port })));
    } catch {
      // No IPv6, or a port in use: only the first address was actually requested.
    }
  }
  keep(id, all);
  return main.port;
}

function listenUnix(id: number, path: string): void {
  const before = process.umask(SOCKET_UMASK);
  try {
    keep(id, [stopper(listen(id, { unix: path }))]);
  } finally {
    process.umask(before);
  }
}

function listenAgent(id: number): string {
  const folder = mkdtempSync(AGENT_FOLDER);
  const path = `${folder}/agent.${process.pid}`;
  try {
    listenUnix(id, path);
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    throw cause;
  }
  keep(id, [{ stop: () => rmSync(folder, { recursive: true, force: true }) }]);
  return path;
}

function keep(id: number, parts: readonly Listener[]): void {
  const before = listeners.get(id);
  listeners.set(id, {
    stop: () => {
      before?.stop();
      for (const part of parts) part.stop();
    },
  });
}

function stopper(listener: { stop(closeActive?: boolean): void }): Listener {
  // Bun unlinks a unix socket's path, which it never replaces when it starts to listen.
  return { stop: () => listener.stop(true) };
}

function listen(id: number, at: { hostname: string; port: number } | { unix: string }) {
  return Bun.listen({
    ...(at as { hostname: string; port: number }),
    ipv6Only: true,
    socket: {
      open(socket) {
        const { remoteAddress = "", remotePort = 0 } = socket as Partial<Bun.Socket & { remotePort: number }>;
        pass(socket, {
          id,
          kind: "accepted",
          passes: 1,
          address: remoteAddress ?? "",
          port: remotePort ?? 0,
        });
      },
      data() {},
    },
  } as Bun.TCPSocketListenOptions<undefined>);
}
