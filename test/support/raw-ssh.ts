/**
 * A client that says what it is told to: its own packets until keys are in force, ssh2's cipher after.
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import ssh2 from "ssh2";
import { SshWriter } from "../../src/base/ssh-buffer.ts";

export interface RawClient extends Disposable {
  /** Sends one message, encrypted once keys are in force. */
  send(...payloads: Buffer[]): void;
  /** Sends bytes as they are. */
  write(bytes: Buffer | string): void;
  /** Settles with the messages received, first bytes of each, once the server has closed. */
  readonly closed: Promise<void>;
  /** Types of messages received so far. */
  readonly received: number[];
  /** The messages themselves. */
  readonly payloads: Buffer[];
  /** The server's identification line. */
  readonly identification: () => string;
  readonly isClosed: () => boolean;
  readonly socket: Socket;
}

/** Message `type` with a body that would do something where it is taken. */
export function plausible(type: number): Buffer {
  const writer = new SshWriter().uint8(type);
  switch (type) {
    case 1:
      return writer.uint32(11).text("bye").text("").toBuffer();
    case 2:
      return writer.text("ignored").toBuffer();
    case 3:
      return writer.uint32(1).toBuffer();
    case 4:
      return writer.bool(false).text("debug").text("").toBuffer();
    case 5:
    case 6:
      return writer.text("ssh-userauth").toBuffer();
    case 7:
      return writer.uint32(1).text("no-flow-control").text("p").toBuffer();
    case 20:
      return kexInit();
    case 21:
      return writer.toBuffer();
    case 30:
      return writer.string(randomBytes(32)).toBuffer();
    case 50:
      return writer
        .text("root")
        .text("ssh-connection")
        .text("password")
        .bool(false)
        .text("secret")
        .toBuffer();
    case 61:
      return writer.uint32(1).text("answer").toBuffer();
    case 80:
      return writer.text("tcpip-forward").bool(true).text("127.0.0.1").uint32(0).toBuffer();
    case 90:
      return channelOpen("session", 0);
    case 94:
      return writer.uint32(0).text("data").toBuffer();
    case 98:
      return writer.uint32(0).text("exec").bool(true).text("id").toBuffer();
    default:
      return writer.raw(Buffer.alloc(16)).toBuffer();
  }
}

export function channelOpen(
  kind: string,
  sender: number,
  { window = 2 ** 21, packet = 32_768 }: { window?: number; packet?: number } = {},
): Buffer {
  return new SshWriter().uint8(90).text(kind).uint32(sender).uint32(window).uint32(packet).toBuffer();
}

/** A KEXINIT of a client that knows what our server knows. */
export function kexInit(options: { kex?: string; follows?: boolean } = {}): Buffer {
  const cipher = "aes256-gcm@openssh.com";
  const mac = "hmac-sha2-256-etm@openssh.com";
  const writer = new SshWriter().uint8(20).raw(randomBytes(16));
  writer.text(options.kex ?? "curve25519-sha256,ext-info-c,kex-strict-c-v00@openssh.com");
  for (const list of ["ssh-ed25519", cipher, cipher, mac, mac, "none", "none", "", ""]) writer.text(list);
  return writer
    .bool(options.follows ?? false)
    .uint32(0)
    .toBuffer();
}

/** One packet before keys are in force (RFC 4253 section 6). */
export function plainPacket(payload: Buffer): Buffer {
  const padding = 8 - ((5 + payload.length) % 8) + 8;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length + padding);
  head.writeUInt8(padding, 4);
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}

/** Connects and sends nothing but what it is told. */
export async function rawClient(port: number, identification = "SSH-2.0-raw\r\n"): Promise<RawClient> {
  const socket = await open(port);
  const received: number[] = [];
  const payloads: Buffer[] = [];
  let line = "";
  let bytes = Buffer.alloc(0);
  let isIdentified = false;
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (!isIdentified) {
      const end = bytes.indexOf(10);
      if (end === -1) return;
      isIdentified = true;
      line = bytes.toString("latin1", 0, end).trimEnd();
      bytes = bytes.subarray(end + 1);
    }
    while (bytes.length >= 6) {
      const length = bytes.readUInt32BE(0);
      if (length > 35_000 || bytes.length < 4 + length) return;
      received.push(bytes.readUInt8(5));
      payloads.push(Buffer.from(bytes.subarray(5, 4 + length - bytes.readUInt8(4))));
      bytes = bytes.subarray(4 + length);
    }
  });
  if (identification !== "") socket.write(identification);
  return {
    ...ends(socket),
    received,
    payloads,
    identification: () => line,
    send: (...messages) => void socket.write(Buffer.concat(messages.map(plainPacket))),
    write: (data) => void socket.write(data),
  };
}

/** How far an ssh2 client goes before it stops and says only what it is told. */
export type Stage = "keyed" | "service" | "failed" | "open";

interface Inside {
  _protocol: {
    _packetRW: {
      write: { allocStart: number; alloc(bytes: number): Buffer; finalize(packet: Buffer): Buffer };
    };
    _cipher: { encrypt(packet: Buffer): void };
    service(name: string): void;
    inspectPayload: (payload: Buffer) => true | undefined;
  };
}

/** A client with keys in force that has reached `stage`. */
export async function keyedClient(port: number, stage: Stage, password = "right"): Promise<RawClient> {
  const socket = await open(port);
  const client = new ssh2.Client();
  const received: number[] = [];
  const payloads: Buffer[] = [];
  const reached = Promise.withResolvers<void>();
  let isThere = false;
  client.on("error", (error) => reached.reject(error)).on("close", () => reached.reject(new Error("closed")));
  reached.promise.catch(() => {});
  client.connect({
    sock: socket,
    username: "root",
    ...(stage === "open" ? { password } : {}),
    authHandler: (left, _partial, next) => {
      // ssh2 asks first with null, and again after each failure.
      if (stage === "keyed") return;
      if (stage === "service") return reached.resolve();
      if (stage === "failed") return left === null ? next("none" as never) : reached.resolve();
      next(left === null ? ("password" as never) : (false as never));
    },
    algorithms: { kex: ["curve25519-sha256"], cipher: ["aes256-gcm@openssh.com"] },
  });
  const { _protocol: protocol } = client as unknown as Inside;
  protocol.inspectPayload = (payload) => {
    const type = payload[0] ?? 0;
    received.push(type);
    payloads.push(Buffer.from(payload));
    // Once there, ssh2's client answers nothing.
    return isThere ? undefined : true;
  };
  if (stage === "keyed") protocol.service = () => reached.resolve();
  if (stage === "open") client.on("ready", () => reached.resolve());
  await reached.promise;
  isThere = true;
  return {
    ...ends(socket),
    received,
    payloads,
    identification: () => "",
    write: (data) => void socket.write(data),
    send: (...messages) => {
      socket.cork();
      for (const payload of messages) {
        const writer = protocol._packetRW.write;
        const packet = writer.alloc(payload.length);
        packet.set(payload, writer.allocStart);
        protocol._cipher.encrypt(writer.finalize(packet));
      }
      socket.uncork();
    },
  };
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  socket.on("error", () => {});
  await new Promise<void>((done, fail) => socket.once("connect", done).once("error", fail));
  return socket;
}

function ends(socket: Socket) {
  const closed = Promise.withResolvers<void>();
  let isClosed = false;
  const onEnd = () => {
    isClosed = true;
    closed.resolve();
  };
  socket.on("end", onEnd).on("close", onEnd);
  return {
    socket,
    closed: closed.promise,
    isClosed: () => isClosed,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
