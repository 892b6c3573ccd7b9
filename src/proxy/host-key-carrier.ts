/**
 * The helper for an ssh(1) that accepts any host key (`StrictHostKeyChecking=no`). It sits between ssh and
 * the peer, and passes the peer's answers only if its host key is one that management named. After the key
 * exchange it only relays. Only `qf proxy connect` starts it.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import { adoptSocket } from "../base/adopt-socket.ts";
import { QfError } from "../base/errors.ts";
import { compileHotCode } from "../base/jit-policy.ts";
import { ownCommand } from "../base/own-command.ts";
import { createHostKeyCheck } from "../sshcore/host-key-check.ts";
import { socketPair } from "./native.ts";

/** Descriptors given by `startHostKeyCarrier`. */
const SSH_FD = 3;
const PEER_FD = 4;
const STDERR_FD = 2;

/** Starts the helper, detached, on the connection `peerFd`. Returns the descriptor for ssh. */
export function startHostKeyCarrier(peerFd: number, hostKeys: readonly string[]): number {
  const [ours, theirs] = socketPair();
  const child = Bun.spawn([...ownCommand(), "proxy", "check", ...hostKeys], {
    cwd: "/",
    env: {},
    stdio: ["ignore", "ignore", "inherit", theirs, peerFd],
    detached: true,
  });
  closeSync(theirs);
  child.unref();
  return ours;
}

/** `qf proxy check KEY...`. Throws ERR_SSH when the peer has none of these host keys. */
export async function runHostKeyCarrier(hostKeys: readonly string[]): Promise<number> {
  compileHotCode();
  const check = createHostKeyCheck(hostKeys.map((key) => Buffer.from(key, "base64")));
  const pass = (bytes: Buffer): Buffer | null => {
    if (check.isDone) return bytes;
    const passed = check.push(bytes);
    // A reader of our stderr would otherwise wait until the connection ends.
    if (check.isDone) leaveStderr();
    return passed;
  };
  if (await carry(SSH_FD, PEER_FD, pass)) return 0;
  throw new QfError("ERR_SSH", "the peer has another host key than management says", {
    hint: "connect again; if it stays, the machine was enrolled anew, or something stands in between",
  });
}

function leaveStderr(): void {
  closeSync(STDERR_FD);
  openSync("/dev/null", "w");
}

/**
 * Relays bytes between two sockets until both directions have ended; the peer's go through `pass`. Resolves
 * to false when `pass` refuses. Then nothing more reaches ssh, and both sockets stay open until this process
 * ends, so that our reason is printed before ssh reports a closed connection.
 */
async function carry(
  sshFd: number,
  peerFd: number,
  pass: (bytes: Buffer) => Buffer | null,
): Promise<boolean> {
  const outcome = Promise.withResolvers<boolean>();
  const finished = (): void => {
    if (toSsh.isFinished && toPeer.isFinished) outcome.resolve(true);
  };
  const toPeer = new Direction(finished);
  const toSsh = new Direction(finished);
  const ssh = await adoptEnd(sshFd, { incoming: toPeer, outgoing: toSsh, pass: (bytes) => bytes });
  const peer = await adoptEnd(peerFd, {
    incoming: toSsh,
    outgoing: toPeer,
    pass: (bytes) => {
      const passed = pass(bytes);
      if (passed === null) outcome.resolve(false);
      return passed;
    },
  });
  toPeer.join(ssh, peer);
  toSsh.join(peer, ssh);
  const isRight = await outcome.promise;
  if (isRight) for (const socket of [ssh, peer]) socket.terminate();
  return isRight;
}

function adoptEnd(
  fd: number,
  about: {
    readonly incoming: Direction;
    readonly outgoing: Direction;
    readonly pass: (bytes: Buffer) => Buffer | null;
  },
): Promise<Bun.Socket> {
  const { incoming, outgoing, pass } = about;
  const gone = (): void => {
    incoming.end();
    outgoing.cut();
  };
  return adoptSocket(fd, {
    // Copied, because Bun reuses its read buffer.
    data: (_socket, data) => incoming.take(pass(Buffer.from(data)) ?? Buffer.alloc(0)),
    drain: () => outgoing.flush(),
    end: () => incoming.end(),
    close: gone,
    error: gone,
  });
}

/** One direction of the relay, with back-pressure. */
class Direction {
  readonly #onFinished: () => void;
  #from: Bun.Socket | null = null;
  #to: Bun.Socket | null = null;
  #unsent: Buffer = Buffer.alloc(0);
  #isOver = false;
  isFinished = false;

  constructor(onFinished: () => void) {
    this.#onFinished = onFinished;
  }

  join(from: Bun.Socket, to: Bun.Socket): void {
    this.#from = from;
    this.#to = to;
    this.flush();
  }

  take(bytes: Buffer): void {
    if (this.isFinished) return;
    this.#unsent = this.#unsent.length === 0 ? bytes : Buffer.concat([this.#unsent, bytes]);
    this.flush();
  }

  end(): void {
    this.#isOver = true;
    this.flush();
  }

  /** The other end no longer accepts data. */
  cut(): void {
    if (this.isFinished) return;
    this.isFinished = true;
    this.#onFinished();
  }

  flush(): void {
    if (this.#to === null || this.isFinished) return;
    const count = this.#unsent.length === 0 ? 0 : this.#to.write(this.#unsent);
    if (count < 0) {
      this.cut();
      return;
    }
    this.#unsent = this.#unsent.subarray(count);
    if (this.#unsent.length > 0) this.#from?.pause();
    else if (this.#isOver) {
      this.#to.shutdown();
      this.cut();
    } else this.#from?.resume();
  }
}
