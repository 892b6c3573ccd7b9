/** A machine that is not honest, or not SSH: the page's client ends, and says what for. */
import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import type { Connection, Session } from "ssh2";
import { SshWriter } from "../../src/base/ssh-buffer.ts";
import { type Bytes, utf8 } from "../../src/browser-ssh/bytes.ts";
import { connectSsh, type SshConnection } from "../../src/browser-ssh/connection.ts";
import { startSession } from "../../src/browser-ssh/session.ts";
import { SSH } from "../../src/sshcore/permitted.ts";
import { type Ssh2Protocol, sendMessageNow } from "../../src/sshcore/ssh2-internals.ts";
import { failureOf, pageKey, tcpLink } from "../support/page-ssh.ts";
import { type SshMachine, startSshMachine } from "../support/ssh-machine.ts";
import { until } from "../support/until.ts";

let machine: SshMachine | undefined;
let server: Server | undefined;
afterEach(async () => {
  await machine?.close();
  server?.close();
  [machine, server] = [undefined, undefined];
});

/** Signs in at a server of ssh2, which takes any key. */
async function signedIn(onSession: (session: Session) => void = () => {}) {
  let theirs: Connection | undefined;
  machine = await startSshMachine({
    ...{ acceptAny: true, onSession },
    onConnection: (client) => {
      theirs = client;
    },
  });
  const link = await tcpLink(Number(machine.address.split(":")[1]));
  link.send(utf8("hello\n"));
  const { publicKey, privateKey } = await pageKey();
  const connection = await connectSsh({
    ...{ link, user: "ada", onBanner: () => {} },
    hostKeys: machine.credential.target.hostKeys.map((key) => new Uint8Array(Buffer.from(key, "base64"))),
    identity: { publicKey, privateKey, certificate: null },
  });
  const protocol = (theirs as unknown as { _protocol: Ssh2Protocol })._protocol;
  return { connection, theirs, send: (payload: Buffer) => sendMessageNow(protocol, payload) };
}

const message = (type: number): SshWriter => new SshWriter().uint8(type);

describe("after the sign-in", () => {
  test.each<[string, Buffer]>([
    ["data for a channel that is not there", message(SSH.CHANNEL_DATA).uint32(7).text("x").toBuffer()],
    ["another sign-in's success", message(SSH.USERAUTH_SUCCESS).toBuffer()],
    ["a key exchange's reply", message(SSH.KEX_ECDH_REPLY).text("x").toBuffer()],
    ["an answer to nothing", message(SSH.REQUEST_SUCCESS).toBuffer()],
    ["half of a message", message(SSH.CHANNEL_OPEN).text("session").toBuffer()],
    ["new keys out of their place", message(SSH.NEWKEYS).toBuffer()],
  ])("%s ends it", async (_what, payload) => {
    const { connection, send } = await signedIn();
    send(payload);
    expect(await connection.closed).toMatchObject({ code: "protocol" });
  });

  test.each(["session", "forwarded-tcpip", "x11", "auth-agent@openssh.com"])(
    "a channel of type %s that the machine opens is refused, and the connection goes on",
    async (type) => {
      const { connection, theirs, send } = await signedIn();
      const failed = new Promise((resolve) => {
        const handlers = (theirs as unknown as { _protocol: { _handlers: Record<string, unknown> } })
          ._protocol;
        handlers._handlers.CHANNEL_OPEN_FAILURE = (_p: unknown, recipient: number) => resolve(recipient);
      });
      send(message(SSH.CHANNEL_OPEN).text(type).uint32(5).uint32(1_000).uint32(1_000).toBuffer());
      expect(await failed).toBe(5);
      connection.close();
      expect(await connection.closed).toBeNull();
    },
  );

  test("more than the window ends it", async () => {
    const { connection, send } = await signedIn((session) => session.on("exec", (accept) => accept()));
    await startSession(connection, { ...{ terminal: null, run: { command: "x" } }, onData: () => {} });
    const block = message(SSH.CHANNEL_DATA).uint32(0).string(Buffer.alloc(32_000)).toBuffer();
    for (let sent = 0; sent <= 2 * 1024 * 1024; sent += 32_000) send(block);
    expect(await connection.closed).toMatchObject({ code: "protocol" });
  });

  test.each<[string, Buffer[]]>([
    ["data after the end of data", [message(SSH.CHANNEL_EOF).uint32(0).toBuffer(), dataFor(0)]],
    ["two ends of data", Array.from({ length: 2 }, () => message(SSH.CHANNEL_EOF).uint32(0).toBuffer())],
    ["a window beyond all bounds", [adjust(0xffff_ffff), adjust(0xffff_ffff)]],
    ["a success that nobody waits for", [message(SSH.CHANNEL_SUCCESS).uint32(0).toBuffer()]],
    ["a second confirmation", [confirmation()]],
  ])("%s in a channel ends it", async (_what, payloads) => {
    const { connection, send } = await signedIn((session) => session.on("exec", (accept) => accept()));
    await startSession(connection, { ...{ terminal: null, run: { command: "x" } }, onData: () => {} });
    for (const payload of payloads) send(payload);
    expect(await connection.closed).toMatchObject({ code: "protocol" });
  });

  test("a storm of key exchanges ends it", async () => {
    const { connection, theirs } = await signedIn();
    let isOver = false;
    void connection.closed.then(() => {
      isOver = true;
    });
    const again = (): void => {
      if (!isOver) theirs?.rekey(() => again());
    };
    again();
    expect(await connection.closed).toMatchObject({ code: "protocol" });
  }, 30_000);

  test("a goodbye is told in the machine's words, without control characters", async () => {
    const { connection, send } = await signedIn();
    send(message(SSH.DISCONNECT).uint32(11).text("access \u001b[31mended").text("").toBuffer());
    expect(await connection.closed).toMatchObject({ code: "ended", message: "access [31mended" });
  });

  test("a lost way is told", async () => {
    const { connection } = await signedIn();
    machine?.drop();
    expect(await connection.closed).toMatchObject({ code: "lost" });
  });
});

function dataFor(channel: number): Buffer {
  return message(SSH.CHANNEL_DATA).uint32(channel).text("x").toBuffer();
}

function adjust(bytes: number): Buffer {
  return message(SSH.CHANNEL_WINDOW_ADJUST).uint32(0).uint32(bytes).toBuffer();
}

function confirmation(): Buffer {
  return message(SSH.CHANNEL_OPEN_CONFIRMATION).uint32(0).uint32(0).uint32(1).uint32(1).toBuffer();
}

describe("before it", () => {
  /** A server that sends `bytes` to whoever comes, and hears nothing. */
  async function connecting(
    bytes: Uint8Array,
    onData?: (socket: Socket) => void,
    timeoutMs = 20_000,
  ): Promise<SshConnection> {
    const listener = createServer((socket) => {
      socket.on("error", () => {}).write(bytes);
      socket.on("data", () => onData?.(socket));
    });
    server = listener;
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const link = await tcpLink((listener.address() as { port: number }).port);
    const { publicKey, privateKey } = await pageKey();
    return connectSsh({
      ...{ link, user: "ada", onBanner: () => {}, hostKeys: [], timeoutMs },
      identity: { publicKey, privateKey, certificate: null },
    });
  }

  /** A message in the clear, as its packet. */
  function packet(payload: Uint8Array): Buffer {
    const padding = 8 - ((5 + payload.length) % 8) + 8;
    const writer = new SshWriter().uint32(1 + payload.length + padding).uint8(padding);
    return writer.raw(payload).raw(Buffer.alloc(padding)).toBuffer();
  }

  function kexInit(lists: Partial<Record<number, string>>): Buffer {
    const names = [
      ...["curve25519-sha256,kex-strict-s-v00@openssh.com", "ssh-ed25519"],
      ...["aes256-gcm@openssh.com", "aes256-gcm@openssh.com", "", "", "none", "none", "", ""],
    ];
    const writer = message(SSH.KEXINIT).raw(Buffer.alloc(16));
    for (const [index, list] of names.entries()) writer.text(lists[index] ?? list);
    return writer.bool(false).uint32(0).toBuffer();
  }
  const ident = Buffer.from("SSH-2.0-test\r\n");

  test.each<[string, Uint8Array]>([
    ["a web server", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["SSH 1", Buffer.from("SSH-1.5-old\r\n")],
    ["a line without end", Buffer.alloc(300, 0x41)],
    ["a length beyond all bounds", Buffer.concat([ident, Buffer.from("7fffffff00", "hex")])],
    ["a channel before any keys", Buffer.concat([ident, packet(Buffer.from([SSH.CHANNEL_OPEN]))])],
    ["chatter before the key exchange", Buffer.concat([ident, packet(Buffer.from([SSH.IGNORE, 0]))])],
    [
      "a server without strict key exchange",
      Buffer.concat([ident, packet(kexInit({ 0: "curve25519-sha256" }))]),
    ],
    ["other ciphers", Buffer.concat([ident, packet(kexInit({ 2: "aes256-ctr" }))])],
    ["compression", Buffer.concat([ident, packet(kexInit({ 7: "zlib" }))])],
    ["another kind of host key", Buffer.concat([ident, packet(kexInit({ 1: "ssh-rsa" }))])],
    [
      "chatter within it (Terrapin)",
      Buffer.concat([ident, packet(kexInit({})), packet(Buffer.from([SSH.IGNORE, 0]))]),
    ],
    [
      "new keys before there are any",
      Buffer.concat([ident, packet(kexInit({})), packet(Buffer.from([SSH.NEWKEYS]))]),
    ],
  ])("%s ends it", async (_what, bytes) => {
    expect(await failureOf(connecting(bytes))).toMatchObject({ code: "protocol" });
  });

  test("one that says nothing is waited for no longer than said", async () => {
    expect(await failureOf(connecting(ident, undefined, 100))).toMatchObject({ code: "timeout" });
  }, 30_000);

  test("one that closes is lost", async () => {
    const closed = connecting(ident, (socket) => void socket.destroy());
    expect(await failureOf(closed)).toMatchObject({ code: "lost" });
  });
});

test("a packet that cannot be sealed ends it, and nothing is sent after", async () => {
  const { connection, theirs } = await signedIn((session) => session.on("exec", (accept) => accept()));
  const over = new Promise((resolve) => theirs?.on("close", () => resolve(true)));
  const sealing = spyOn(crypto.subtle, "encrypt").mockRejectedValueOnce(new Error("no memory"));
  const session = startSession(connection, {
    ...{ terminal: null, run: { command: "x" } },
    onData: () => {},
  });
  const failure = await failureOf(session);
  sealing.mockRestore();
  expect(failure).toMatchObject({ code: "protocol" });
  expect(await connection.closed).toMatchObject({ code: "protocol" });
  // The socket is closed too: the machine does not wait either.
  await over;
});

test("a client that closes while it waits leaves nothing behind", async () => {
  const { connection } = await signedIn((session) => session.on("exec", (accept) => accept()));
  const parts: Bytes[] = [];
  const session = await startSession(connection, {
    ...{ terminal: null, run: { command: "x" } },
    onData: (bytes) => void parts.push(bytes),
  });
  connection.close();
  expect(await session.ended).toEqual({ status: null, signal: null });
  expect(await failureOf(session.write(utf8("late")))).toMatchObject({ code: "lost" });
  await until("nothing came", () => parts.length === 0);
});
