/**
 * What a malicious machine can do with its own keys: an SSH server that lets everybody in and keeps
 * all it is sent. And a network that sits in between.
 */
import { readFileSync } from "node:fs";
import { connect, createServer, type Server as NetServer, type Socket } from "node:net";
import { join } from "node:path";
import { Server } from "ssh2";
import type { LabAgent } from "./lab.ts";

export interface Capture {
  hello: string;
  username: string;
  /** The certificate blob. */
  certificate: Buffer;
  /** The signature, as the client sent it. */
  signature: Buffer;
  /** What was signed. */
  signed: Buffer;
  /** Every method of authentication that was tried, in order. */
  tried: string[];
  /** Every request that came with the connection or a session, as `kind what`. */
  requests: string[];
}

export interface Listening extends AsyncDisposable {
  readonly port: number;
}

/** Listens on a free port with the host keys of `agent`'s machine and records everybody who comes. */
export async function openTrap(agent: LabAgent, captures: Capture[]): Promise<Listening> {
  const { keys } = JSON.parse(readFileSync(join(agent.stateDir, "host-keys.json"), "utf8"));
  const ssh = new Server({ hostKeys: keys.map((key: { pem: string }) => key.pem) }, (connection) => {
    const hello = hellos.shift() ?? "";
    const tried: string[] = [];
    const requests: string[] = [];
    connection.on("error", () => {});
    connection.on("request", (_accept, reject, name) => {
      requests.push(`global ${name}`);
      reject?.();
    });
    connection.on("tcpip", (_accept, reject) => {
      requests.push("direct-tcpip");
      reject();
    });
    connection.on("authentication", (context) => {
      tried.push(context.method);
      if (context.method !== "publickey") return context.reject(["publickey"]);
      if (context.signature === undefined || context.blob === undefined) return context.accept();
      captures.push({
        hello,
        username: context.username,
        certificate: context.key.data,
        signature: context.signature,
        signed: context.blob,
        tried,
        requests,
      });
      context.accept();
    });
    connection.on("session", (accept) => {
      const session = accept();
      for (const name of ["pty", "auth-agent", "x11", "shell", "subsystem"] as const) {
        session.on(name as "shell", () => requests.push(name));
      }
      session.on("env", (_accept, _reject, { key }) => requests.push(`env ${key}`));
      session.on("exec", (acceptExec, _reject, { command }) => {
        requests.push(`exec ${command}`);
        const stream = acceptExec();
        stream.write("captured\n");
        stream.exit(0);
        stream.end();
      });
    });
  });
  const hellos: string[] = [];
  return listen((socket) => {
    readLine(socket, (line) => {
      hellos.push(line);
      ssh.injectSocket(socket);
    });
  });
}

/** A proxy to `target` that may change what passes: `tamper(direction, bytes so far, chunk)`. */
export function openTamperer(
  target: () => number,
  tamper: (direction: "up" | "down", before: number, chunk: Buffer) => Buffer,
): Promise<Listening> {
  return listen((socket) => {
    const upstream = connect({ host: "127.0.0.1", port: target() });
    const counts = { up: 0, down: 0 };
    const pass = (direction: "up" | "down", to: Socket) => (chunk: Buffer) => {
      to.write(tamper(direction, counts[direction], Buffer.from(chunk)));
      counts[direction] += chunk.length;
    };
    socket.on("data", pass("up", upstream));
    upstream.on("data", pass("down", socket));
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
}

/** The port an agent's direct listener has. */
export async function sshPort(agent: LabAgent): Promise<number> {
  const [address] = (await agent.status()).sshServer.listen;
  return Number(address?.slice(address.lastIndexOf(":") + 1));
}

function readLine(socket: Socket, done: (line: string) => void): void {
  let bytes = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    const at = bytes.indexOf(10);
    if (at < 0) return;
    socket.off("data", onData);
    socket.pause();
    const rest = bytes.subarray(at + 1);
    if (rest.length > 0) socket.unshift(rest);
    done(bytes.subarray(0, at).toString("latin1"));
    socket.resume();
  };
  socket.on("data", onData);
}

async function listen(onSocket: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server: NetServer = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    onSocket(socket);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
