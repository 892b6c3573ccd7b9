/** A guarded SSH server of ssh2 on loopback that records everything that could be a side effect. */
import type { Socket } from "node:net";
import { createServer } from "node:net";
import ssh2, { type Connection, type Session } from "ssh2";
import { makeEd25519HostKey } from "../../src/agent/state/host-keys.ts";
import { ALGORITHMS } from "../../src/sshcore/algorithms.ts";
import { type Guard, guardConnection } from "../../src/sshcore/guard.ts";
import type { KexBudget } from "../../src/sshcore/kex-budget.ts";
import type { WireLimits } from "../../src/sshcore/wire-limits.ts";

export interface GuardedServer extends AsyncDisposable {
  readonly port: number;
  /** Names of events, in order: authentication, ready, session, exec, tcpip, streamlocal, request. */
  readonly events: string[];
  /** What the guard found wrong. */
  readonly violations: string[];
  readonly connections: Connection[];
  readonly guards: Guard[];
  /** Open sockets. */
  readonly sockets: ReadonlySet<Socket>;
}

export interface GuardedServerOptions {
  readonly limits?: Partial<WireLimits>;
  readonly kexBudget?: KexBudget;
  /** The password that is accepted; default: none is. */
  readonly password?: string;
  /** Everybody is let in, without a password. */
  readonly letsAllIn?: boolean;
  readonly onSession?: (session: Session, connection: Connection) => void;
  readonly onConnection?: (connection: Connection) => void;
  readonly kex?: readonly string[];
  readonly keepaliveMs?: number;
}

const hostKey = makeEd25519HostKey();

/** Listens on a free port of 127.0.0.1. */
export async function startGuardedServer(options: GuardedServerOptions = {}): Promise<GuardedServer> {
  const events: string[] = [];
  const violations: string[] = [];
  const connections: Connection[] = [];
  const guards: Guard[] = [];
  const sockets = new Set<Socket>();
  const algorithms = options.kex === undefined ? ALGORITHMS : { ...ALGORITHMS, kex: options.kex };
  const config = {
    hostKeys: [hostKey],
    algorithms,
    keepaliveInterval: options.keepaliveMs ?? 0,
    keepaliveCountMax: 3,
  };
  const server = new ssh2.Server(config as ssh2.ServerConfig, (connection) => {
    guards.push(
      guardConnection(connection, {
        ...(options.limits === undefined ? {} : { limits: options.limits }),
        ...(options.kexBudget === undefined ? {} : { kexBudget: options.kexBudget }),
        onViolation: (what) => violations.push(what),
      }),
    );
    connections.push(connection);
    connection.on("error", () => {});
    connection.on("authentication", (context) => {
      events.push("authentication");
      if (options.letsAllIn === true) context.accept();
      else if (context.method === "keyboard-interactive") {
        context.prompt([{ prompt: "code", echo: true }], () => context.reject(["password"]));
      } else if (context.method === "password" && context.password === options.password) {
        context.accept();
      } else context.reject(["password", "keyboard-interactive"]);
    });
    connection.on("ready", () => events.push("ready"));
    connection.on("session", (accept, reject) => {
      events.push("session");
      if (options.onSession === undefined) reject();
      else options.onSession(accept(), connection);
    });
    connection.on("tcpip", (_accept, reject) => {
      events.push("tcpip");
      reject();
    });
    connection.on("openssh.streamlocal", (_accept, reject) => {
      events.push("streamlocal");
      reject();
    });
    connection.on("request", (_accept, reject) => {
      events.push("request");
      reject?.();
    });
    options.onConnection?.(connection);
  });
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    server.injectSocket(socket);
  });
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  return {
    port: (listener.address() as { port: number }).port,
    events,
    violations,
    connections,
    guards,
    sockets,
    [Symbol.asyncDispose]: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy();
        listener.close(() => done());
      }),
  };
}
