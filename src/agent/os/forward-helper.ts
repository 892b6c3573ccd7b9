/**
 * The agent's side of a forward helper: has a child open sockets as the local user.
 *
 * Nothing is opened, bound or accepted here. `forward-helper-child.ts` does that and passes descriptors
 * back. Only loopback addresses are dialled on this side, with sockets of the user's (`socket-pool.ts`). A
 * connection has one helper, started by its first forward.
 *
 * @module
 */
import { closeSync } from "node:fs";
import { openDescriptorSocket, receiveDescriptor } from "../../base/descriptors.ts";
import type { Containment } from "./containment.ts";
import { ForwardHelperError } from "./forward-helper-error.ts";
import {
  createLines,
  DIAL_TIMEOUT_MS,
  type ForwardHelperAnswer,
  type ForwardHelperOrder,
} from "./forward-helper-protocol.ts";
import { loopbackFamily, SocketPool } from "./socket-pool.ts";
import { type SpawnedChild, spawnAs } from "./spawn.ts";
import type { LocalAccount } from "./users.ts";

/** A connection accepted by a listener. The receiver must close `fd`. */
export interface Accepted {
  readonly fd: number;
  /** Address of the other end. Empty for a unix socket. */
  readonly address: string;
  readonly port: number;
}

export interface Listening {
  /** The bound port. 0 for a unix socket. */
  readonly port: number;
  /** Path of a unix socket. */
  readonly path: string;
  /** Stops listening, and unlinks a unix socket. */
  close(): void;
}

/** The part of an order that is specific to its kind. */
type Wish = ForwardHelperOrder extends infer Order
  ? Order extends ForwardHelperOrder
    ? Omit<Order, "id">
    : never
  : never;

/** A little longer than the helper's own limit. */
const ANSWER_TIMEOUT_MS = DIAL_TIMEOUT_MS + 2_000;
/** How long the helper has to unlink its sockets before it is killed. */
const CLOSE_TIMEOUT_MS = 200;

/** Starts a helper. Throws when no process or descriptor is available. */
export async function openForwardHelper(request: {
  readonly account: LocalAccount;
  /** Whether to change to the account's ids. False: the agent is that user. */
  readonly drop: boolean;
  readonly containment: Containment;
}): Promise<ForwardHelper> {
  const { account, drop, containment } = request;
  containment.prepare();
  const [ownFd, childFd] = openDescriptorSocket();
  try {
    const child = await spawnAs({
      pty: null,
      extraFd: childFd,
      contain: (pid) => containment.add(pid, account.uid),
      spec: {
        user: account.name,
        uid: account.uid,
        gid: account.gid,
        drop,
        tty: false,
        home: "/",
        file: "/",
        argv: [],
        env: {},
        isForwardHelper: true,
      },
    });
    return new ForwardHelper(child, ownFd);
  } catch (cause) {
    closeSync(ownFd);
    throw cause;
  }
}

export class ForwardHelper {
  readonly #child: SpawnedChild;
  readonly #fd: number;
  readonly #waiting = new Map<number, (answer: ForwardHelperAnswer, fds: readonly number[]) => void>();
  readonly #sockets = new SocketPool((family, count) => this.#openSockets(family, count));
  readonly #listeners = new Map<number, (accepted: Accepted) => void>();
  #lastId = 0;
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** Resolves when the helper has ended for any reason. */
  readonly ended: Promise<void>;

  constructor(child: SpawnedChild, fd: number) {
    this.#child = child;
    this.#fd = fd;
    void this.#drainErrors();
    this.ended = this.#read().finally(() => this.#end());
  }

  /** Resolves `host` with the user's resolver. Throws ForwardHelperError. */
  async resolve(host: string): Promise<readonly string[]> {
    const { answer } = await this.#ask({ kind: "resolve", host });
    return answer.kind === "resolved" ? answer.addresses : [];
  }

  /** Connects a socket to the first of `addresses` that answers. Throws ForwardHelperError. */
  dial(addresses: readonly string[], port: number): Promise<number> {
    const [address = "", ...others] = addresses;
    const family = others.length === 0 ? loopbackFamily(address) : null;
    if (family !== null) return this.#sockets.dial(family, address, port);
    return this.#dialed({ kind: "dial", addresses, port });
  }

  /** Connects a unix socket. Throws ForwardHelperError. */
  dialSocket(path: string): Promise<number> {
    return this.#dialed({ kind: "dialSocket", path });
  }

  /** Listens at the first of `addresses`, and at the others if they exist. Throws ForwardHelperError. */
  listen(
    addresses: readonly string[],
    port: number,
    onAccepted: (accepted: Accepted) => void,
  ): Promise<Listening> {
    return this.#listening({ kind: "listen", addresses, port }, onAccepted);
  }

  /** Listens on a new unix socket; an existing path is not replaced. Throws ForwardHelperError. */
  listenSocket(path: string, onAccepted: (accepted: Accepted) => void): Promise<Listening> {
    return this.#listening({ kind: "listenSocket", path }, onAccepted);
  }

  /** Listens on a unix socket in a folder of its own. Throws ForwardHelperError. */
  listenAgent(onAccepted: (accepted: Accepted) => void): Promise<Listening> {
    return this.#listening({ kind: "listenAgent" }, onAccepted);
  }

  /** Ends the helper and its listeners; connected sockets stay. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sockets.close();
    this.#child.stdin.close();
    const late = setTimeout(() => this.#child.signalGroup("SIGKILL"), CLOSE_TIMEOUT_MS);
    await this.#child.exited;
    clearTimeout(late);
  }

  async #dialed(wish: Wish): Promise<number> {
    const { fds } = await this.#ask(wish);
    const [fd] = fds;
    if (fd === undefined) throw new ForwardHelperError("failed");
    return fd;
  }

  async #openSockets(family: 4 | 6, count: number): Promise<readonly number[]> {
    const { fds } = await this.#ask({ kind: "sockets", family, count });
    if (fds.length === 0) throw new ForwardHelperError("failed");
    return fds;
  }

  async #listening(wish: Wish, onAccepted: (accepted: Accepted) => void): Promise<Listening> {
    const { id, answer } = await this.#ask(wish, onAccepted);
    if (answer.kind !== "listening") throw new ForwardHelperError("failed");
    return {
      port: answer.port,
      path: answer.path,
      close: () => {
        if (this.#listeners.delete(id)) this.#send({ id, kind: "close" });
      },
    };
  }

  /** Sends an order and waits for its answer. Throws ForwardHelperError, also if the helper has ended. */
  #ask(
    wish: Wish,
    onAccepted?: (accepted: Accepted) => void,
  ): Promise<{ id: number; answer: ForwardHelperAnswer; fds: readonly number[] }> {
    const id = ++this.#lastId;
    if (this.#isClosed) return Promise.reject(new ForwardHelperError("failed"));
    // A connection may arrive before we have read the answer.
    if (onAccepted !== undefined) this.#listeners.set(id, onAccepted);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => settle({ id, kind: "failed", failure: "timeout" }, []),
        ANSWER_TIMEOUT_MS,
      );
      const settle = (answer: ForwardHelperAnswer, fds: readonly number[]): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (answer.kind === "failed") {
          this.#listeners.delete(id);
          reject(new ForwardHelperError(answer.failure));
        } else resolve({ id, answer, fds });
      };
      this.#waiting.set(id, settle);
      this.#send({ id, ...wish } as ForwardHelperOrder);
    });
  }

  #send(order: ForwardHelperOrder): void {
    const line = Buffer.from(`${JSON.stringify(order)}\n`);
    this.#writing = this.#writing
      .then(async () => void (await this.#child.stdin.write(line)))
      .catch(() => this.#kill());
  }

  async #read(): Promise<void> {
    const lines = createLines();
    try {
      for (;;) {
        const data = await this.#child.stdout.read();
        if (data === null) return;
        for (const line of lines(data)) this.#take(JSON.parse(line) as ForwardHelperAnswer);
      }
    } catch {
      this.#kill();
    }
  }

  #take(answer: ForwardHelperAnswer): void {
    const fds = this.#receive("passes" in answer ? answer.passes : 0);
    const [fd] = fds;
    const listener = answer.kind === "accepted" ? this.#listeners.get(answer.id) : undefined;
    if (answer.kind === "accepted" && fd !== undefined && listener !== undefined) {
      listener({ fd, address: answer.address, port: answer.port });
      return;
    }
    const waiting = answer.kind === "accepted" ? undefined : this.#waiting.get(answer.id);
    if (waiting !== undefined) waiting(answer, fds);
    // The caller is gone.
    else for (const unclaimed of fds) closeSync(unclaimed);
  }

  /** `count` descriptors, or fewer when this process has no free ones. */
  #receive(count: number): readonly number[] {
    return Array.from({ length: count }, () => receiveDescriptor(this.#fd)).filter((fd) => fd !== null);
  }

  /** Discards its stderr, which must not block it. */
  async #drainErrors(): Promise<void> {
    const { stderr } = this.#child;
    while (stderr !== null && (await stderr.read()) !== null);
    stderr?.close();
  }

  #kill(): void {
    this.#child.signalGroup("SIGKILL");
  }

  #end(): void {
    this.#isClosed = true;
    this.#child.stdin.close();
    this.#child.stdout.close();
    closeSync(this.#fd);
    for (const [id, settle] of this.#waiting) settle({ id, kind: "failed", failure: "failed" }, []);
    this.#sockets.close();
    this.#listeners.clear();
  }
}
