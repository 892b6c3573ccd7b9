/** What a machine may do with our forwards: what it was asked for, and nothing else. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection as ServerConnection } from "ssh2";
import { QfError } from "../../src/base/errors.ts";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { dialDirect } from "../../src/fabric/dial.ts";
import { type Connection, connectSsh } from "../../src/ssh/connect.ts";
import { type Forwards, openStream, startForwards } from "../../src/ssh/forward.ts";
import {
  describeEndpoint,
  type ForwardSpec,
  parseLocalForward,
  parseRemoteForward,
} from "../../src/ssh/forward-spec.ts";
import { openChannel } from "../../src/sshcore/server-channels.ts";
import { converse, freePort, startEcho } from "../support/echo.ts";
import { startSshMachine } from "../support/ssh-machine.ts";
import { until } from "../support/until.ts";

const ended: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

interface Meeting {
  readonly connection: Connection;
  readonly machine: ServerConnection;
  readonly said: string[];
  forward(specs: readonly ForwardSpec[], exitOnFailure?: boolean): Promise<Forwards>;
}

/** A client and a machine that has let it in; `prepare` sees the machine's side first. */
async function meet(
  prepare: (machine: ServerConnection) => void = () => {},
  agentPath?: string,
): Promise<Meeting> {
  let machine: ServerConnection | undefined;
  const server = await startSshMachine({
    onConnection: (client) => {
      machine = client;
      prepare(client);
    },
  });
  const { socket } = await dialDirect({ addresses: [server.address], helloFor: () => "HELLO\n" });
  const connection = await connectSsh({
    stream: socket,
    credential: server.credential,
    localUser: "deploy",
    agentPath,
    keepaliveMs: 0,
    keepaliveCountMax: 3,
    onBanner: () => {},
  });
  ended.push(
    () => server.close(),
    () => connection.end(),
  );
  if (machine === undefined) throw new Error("nobody came");
  const said: string[] = [];
  const forward = async (specs: readonly ForwardSpec[], exitOnFailure = false) => {
    const forwards = await startForwards(connection, specs, {
      exitOnFailure,
      say: (line) => said.push(line),
    });
    ended.push(() => forwards.end());
    return forwards;
  };
  return { connection, machine, said, forward };
}

const takeAll = (machine: ServerConnection): void => {
  machine.on("request", (accept) => accept?.());
};
const forwarded = (host: string, port: number): Uint8Array =>
  new SshWriter().text(host).uint32(port).text("127.0.0.1").uint32(5).toBuffer();
const forwardedSocket = (path: string): Uint8Array => new SshWriter().text(path).text("").toBuffer();

test.each<[name: string, type: string, fields: Uint8Array]>([
  ["a port that nobody asked for", "forwarded-tcpip", forwarded("localhost", 8081)],
  ["another address of a port that was", "forwarded-tcpip", forwarded("0.0.0.0", 8080)],
  ["a socket that nobody asked for", "forwarded-streamlocal@openssh.com", forwardedSocket("/run/x")],
  ["the agent, without -A", "auth-agent@openssh.com", new Uint8Array(0)],
  ["a display", "x11", new SshWriter().text("127.0.0.1").uint32(5).toBuffer()],
  ["a session", "session", new Uint8Array(0)],
  ["a direct stream", "direct-tcpip", forwarded("127.0.0.1", 22)],
])("a machine gets no stream for %s", async (_name, type, fields) => {
  await using echo = await startEcho();
  const { machine, forward } = await meet(takeAll);
  await forward([parseRemoteForward(`8080:127.0.0.1:${echo.port}`)]);
  expect(await openChannel(machine, type, fields)).toBeNull();
  expect(echo.open.size).toBe(0);
});

test("a machine gets the streams it was asked for, and both ends of each", async () => {
  await using echo = await startEcho();
  const { machine, forward } = await meet(takeAll);
  const forwards = await forward([parseRemoteForward(`8080:127.0.0.1:${echo.port}`)]);
  const channel = await openChannel(machine, "forwarded-tcpip", forwarded("localhost", 8080));
  if (channel === null) throw new Error("refused");
  let said = "";
  channel.on("data", (data: Buffer) => {
    said += data.toString();
  });
  const over = new Promise<void>((resolve) => channel.once("end", () => resolve()));
  channel.write("hello ");
  channel.eof();
  await over;
  expect(said).toBe("hello bye");
  channel.close();
  await forwards.drained();
});

test("having the agent's path is not offering it: the machine waits for -A of a session", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qf-agent-"));
  ended.push(() => rmSync(folder, { recursive: true, force: true }));
  await using _agent = await startEcho(join(folder, "agent"));
  const { machine } = await meet(() => {}, join(folder, "agent"));
  expect(await openChannel(machine, "auth-agent@openssh.com", new Uint8Array(0))).toBeNull();
});

test("the machine's own sentence says why a stream is not to be, free of control characters", async () => {
  const { connection } = await meet((machine) => {
    (machine as unknown as NodeJS.EventEmitter).on("tcpip", (_accept: () => void, reject: () => void) =>
      reject(),
    );
  });
  const error = await openStream(connection, { kind: "tcp", host: "db", port: 5432 }).catch((cause) => cause);
  expect(error).toBeInstanceOf(QfError);
  expect(error.message).toBe("db:5432: no reason given");
});

test("where a program wants to go by SOCKS cannot drive the terminal", async () => {
  const host = "db\u001b]0;x\u0007\u009b2J\n.example.com";
  expect(describeEndpoint({ kind: "tcp", host, port: 80 })).toMatch(/^[\x20-\x7e]+$/);
  expect(describeEndpoint({ kind: "unix", path: host })).toMatch(/^[\x20-\x7e]+$/);
});

test("a port that cannot be had is told, and ends everything where that was asked for", async () => {
  await using echo = await startEcho();
  const { forward, said } = await meet();
  const spec = parseLocalForward(`${echo.port}:db:5432`);
  await forward([spec]);
  expect(said).toEqual([
    `qf: error: Cannot bind to port ${echo.port}`,
    "qf: hint: it is in use here; choose another",
  ]);
  const free = await freePort();
  const strict = forward([parseLocalForward(`${free}:db:5432`), spec], true);
  expect(await strict.catch((cause: QfError) => cause.message)).toBe(`Cannot bind to port ${echo.port}`);
  expect(await converse({ port: free }, "x").catch((cause: NodeJS.ErrnoException) => cause.code)).toBe(
    "ECONNREFUSED",
  );
});

test("a machine that refuses to listen is told apart from a port here", async () => {
  const { forward, said } = await meet((machine) => {
    machine.on("request", (_accept, reject) => reject?.());
  });
  await forward([parseRemoteForward("8080:db:5432"), parseRemoteForward("/run/x:db:5432")]);
  expect(said.filter((line) => line.startsWith("qf: error"))).toEqual([
    "qf: error: Cannot bind to port 8080 on the peer",
    "qf: error: Cannot bind to /run/x on the peer",
  ]);
});

test("a socket here is for its owner, replaces nothing, and goes with the forward", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qf-socket-"));
  ended.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "here");
  const { forward, said } = await meet();
  const forwards = await forward([parseLocalForward(`${path}:db:5432`)]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await forward([parseLocalForward(`${path}:db:5432`)]);
  expect(said[0]).toBe(`qf: error: Cannot bind to ${path}`);
  forwards.end();
  await until("its end", () => !existsSync(path));
});

test("what is no SOCKS greeting gets no stream", async () => {
  let opens = 0;
  const { forward } = await meet((machine) => {
    (machine as unknown as NodeJS.EventEmitter).on("tcpip", (_accept: () => void, reject: () => void) => {
      opens += 1;
      reject();
    });
  });
  const port = await freePort();
  await forward([{ direction: "local", listen: { kind: "tcp", host: undefined, port }, connect: null }]);
  expect(await converse({ port }, "GET / HTTP/1.1\r\n\r\n").catch(() => "")).toBe("");
  const socket = connect(port, "127.0.0.1");
  const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {}).end(Buffer.from([5]));
  await gone;
  expect(opens).toBe(0);
});
