import { afterEach, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { Duplex } from "node:stream";
import { joinDescriptor } from "../../src/proxy/join-descriptor.ts";
import { socketPair } from "../../src/proxy/native.ts";
import { until } from "../support/until.ts";

const BYTES = 8 * 1024 * 1024;
const opened: Bun.Socket[] = [];

afterEach(() => {
  for (const socket of opened.splice(0)) socket.terminate();
});

/** A stream whose other side is the test: what is written to it, and what it gives. */
class Peer extends Duplex {
  readonly hash = createHash("sha256");
  writtenBytes = 0;
  hasFinished = false;
  /** Holds writes back until it is called. */
  releaseBuffer: (() => void) | null = null;
  isSlow = false;

  constructor() {
    super({ allowHalfOpen: true });
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writtenBytes += chunk.length;
    this.hash.update(chunk);
    if (this.isSlow) this.releaseBuffer = done;
    else done();
  }
  override _final(done: () => void): void {
    this.hasFinished = true;
    done();
  }
}

/** The end that ssh has: all it receives, and whether it was closed. */
async function sshEnd(fd: number) {
  const received: Buffer[] = [];
  const state = { received, isClosed: false, unsent: Buffer.alloc(0) as Buffer };
  const flush = (socket: Bun.Socket) => {
    const count = socket.write(state.unsent);
    if (count > 0) state.unsent = state.unsent.subarray(count);
  };
  const adopt = {
    fd,
    allowHalfOpen: true,
    socket: {
      data: (_socket: Bun.Socket, data: Buffer) => void received.push(Buffer.from(data)),
      drain: flush,
      end: () => {
        state.isClosed = true;
      },
      close: () => {
        state.isClosed = true;
      },
    },
  };
  const socket = await Bun.connect(adopt as unknown as Bun.TCPSocketConnectOptions<undefined>);
  opened.push(socket);
  const send = (bytes: Buffer) => {
    state.unsent = bytes;
    flush(socket);
  };
  return { state, socket, send };
}

test("carries bytes both ways unharmed, and ends once the stream has ended and all of it is over", async () => {
  const [ours, theirs] = socketPair();
  const peer = new Peer();
  const ssh = await sshEnd(ours);
  const joined = joinDescriptor(peer, theirs);
  const [up, down] = [randomBytes(BYTES), randomBytes(BYTES)];
  ssh.send(up);
  for (let at = 0; at < BYTES; at += 100_000) peer.push(down.subarray(at, at + 100_000));
  await until("the bytes upwards", () => peer.writtenBytes === BYTES);
  peer.push(null);
  await joined;
  await until("the end", () => ssh.state.isClosed);
  expect(Buffer.concat(ssh.state.received).equals(down)).toBe(true);
  expect(peer.hash.digest("hex")).toBe(createHash("sha256").update(up).digest("hex"));
});

test("reads no more than the stream takes", async () => {
  const [ours, theirs] = socketPair();
  const peer = new Peer();
  peer.isSlow = true;
  const ssh = await sshEnd(ours);
  const joined = joinDescriptor(peer, theirs);
  ssh.send(randomBytes(BYTES));
  await until("the first bytes", () => peer.releaseBuffer !== null);
  await Bun.sleep(100);
  expect(peer.writableLength).toBeLessThan(BYTES / 2);
  expect(ssh.state.unsent.length).toBeGreaterThan(0);
  peer.isSlow = false;
  peer.releaseBuffer?.();
  await until("the rest", () => peer.writtenBytes === BYTES);
  peer.push(null);
  await joined;
});

test("passes on that ssh sends no more, and goes on with what comes back", async () => {
  const [ours, theirs] = socketPair();
  const peer = new Peer();
  const ssh = await sshEnd(ours);
  const joined = joinDescriptor(peer, theirs);
  ssh.socket.shutdown();
  await until("the end upwards", () => peer.hasFinished);
  peer.push("still here");
  await until("what comes back", () => ssh.state.received.length > 0);
  expect(String(Buffer.concat(ssh.state.received))).toBe("still here");
  peer.push(null);
  await joined;
});

test("ends the stream when ssh is gone, and itself when the stream is lost", async () => {
  const first = socketPair();
  const peer = new Peer();
  const ssh = await sshEnd(first[0]);
  const joined = joinDescriptor(peer, first[1]);
  await Bun.sleep(20);
  ssh.socket.terminate();
  await until("the end of the stream", () => peer.hasFinished || peer.destroyed);
  peer.destroy();
  await joined;
  const second = socketPair();
  const lost = new Peer();
  const other = await sshEnd(second[0]);
  const ended = joinDescriptor(lost, second[1]);
  lost.destroy(new Error("lost"));
  await ended;
  await until("ssh's end", () => other.state.isClosed);
});
