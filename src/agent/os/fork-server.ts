/**
 * The agent's side of the fork server (`../session-helper/fork-server.c`), a native process that has PAM's
 * modules loaded and forks a monitor for each session. Otherwise each session's program would load them.
 *
 * If it is gone or does not answer, its monitors go on, and for a while monitors are started singly.
 *
 * @module
 */
import { closeSync } from "node:fs";
import { openStreamSocket, sendWithDescriptors } from "../../base/descriptors.ts";
import { createServerAnswers, encodeEndOrder, encodeOpenOrder, type ServerAnswer } from "./helper-frames.ts";
import { pamService } from "./pam.ts";
import type { FdReader } from "./pipes.ts";
import { startHelper } from "./session-helper.ts";
import { createSocketEnds } from "./socket-ends.ts";
import { signalGroup } from "./spawn.ts";

/** Longest wait for a monitor. Modules are loaded before the first one. */
const OPEN_TIMEOUT_MS = 5_000;

export interface ForkedProcess {
  /** Also its process group and session id. */
  readonly pid: number;
  readonly exited: Promise<void>;
  kill(): void;
  /** Stops waiting for its exit, which nobody reports once its server is gone. */
  forget(): void;
}

export interface ForkServer {
  readonly pid: number;
  /** True once it cannot fork any more. */
  readonly isLost: boolean;
  /** Forks a monitor connected to the other end of `socketFd`, which stays the caller's. */
  open(socketFd: number): Promise<ForkedProcess>;
  /** Ends the server. Its monitors go on. */
  close(): void;
}

/** Starts the fork server at `path`. Throws when no process or descriptor is available. */
export function openForkServer(path: string, service: string = pamService()): ForkServer {
  return new HelperServer(path, service);
}

interface Opening {
  resolve(forked: ForkedProcess): void;
  reject(cause: Error): void;
}

class HelperServer implements ForkServer {
  readonly pid: number;
  readonly #fd: number;
  readonly #reader: FdReader;
  /** In the order of the answers. */
  readonly #openings: Opening[] = [];
  /** Exit callbacks by monitor pid. */
  readonly #living = new Map<number, () => void>();
  readonly #child: Bun.Subprocess;
  #isLost = false;

  constructor(path: string, service: string) {
    const [ownFd, childFd] = openStreamSocket();
    try {
      this.#child = startHelper(path, "server", ["ignore", "ignore", "ignore", childFd], [service, ""]);
    } catch (cause) {
      closeSync(ownFd);
      throw cause;
    } finally {
      closeSync(childFd);
    }
    this.#child.unref();
    this.#fd = ownFd;
    this.pid = this.#child.pid;
    this.#reader = createSocketEnds(ownFd).reader;
    void this.#listen();
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  open(socketFd: number): Promise<ForkedProcess> {
    const { promise, resolve, reject } = Promise.withResolvers<ForkedProcess>();
    if (this.#isLost) return Promise.reject(new Error("the fork server has ended"));
    try {
      sendWithDescriptors(this.#fd, encodeOpenOrder(), [socketFd]);
    } catch (cause) {
      this.#giveUp();
      return Promise.reject(cause);
    }
    const timer = setTimeout(() => this.#giveUp(), OPEN_TIMEOUT_MS);
    this.#openings.push({ resolve, reject });
    return promise.finally(() => clearTimeout(timer));
  }

  close(): void {
    this.#lose();
  }

  #began(pid: number): ForkedProcess {
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    this.#living.set(pid, resolve);
    return {
      pid,
      exited,
      kill: () => this.#kill(pid),
      forget: () => {
        if (this.#isLost) this.#end(pid);
      },
    };
  }

  #end(pid: number): void {
    this.#living.get(pid)?.();
    this.#living.delete(pid);
  }

  /** Only the server knows whether the pid is still that monitor's. */
  #kill(pid: number): void {
    if (!this.#living.has(pid)) return;
    try {
      if (this.#isLost) throw new Error("the fork server has ended");
      sendWithDescriptors(this.#fd, encodeEndOrder(pid), []);
    } catch {
      signalGroup(pid, "SIGKILL");
    }
  }

  async #listen(): Promise<void> {
    const answers = createServerAnswers();
    try {
      for (let data = await this.#reader.read(); data !== null; data = await this.#reader.read()) {
        for (const answer of answers(data)) this.#take(answer);
      }
    } catch {
      // After a malformed answer the server is not trusted any more.
    }
    this.#giveUp();
  }

  #take({ kind, pid }: ServerAnswer): void {
    if (kind === "ended") {
      this.#end(pid);
      return;
    }
    const opening = this.#openings.shift();
    if (pid === 0) opening?.reject(new Error("the operating system has no process left"));
    else opening?.resolve(this.#began(pid));
  }

  #giveUp(): void {
    if (this.#isLost) return;
    this.#lose();
    this.#child.kill("SIGKILL");
  }

  #lose(): void {
    this.#isLost = true;
    this.#reader.close();
    for (const { reject } of this.#openings.splice(0)) reject(new Error("the fork server has ended"));
  }
}
