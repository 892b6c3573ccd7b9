/**
 * The agent's handle on a session's monitor process, which is the session helper, or this executable where
 * the helper cannot run.
 *
 * @module
 */
import { closeSync } from "node:fs";
import {
  openDescriptorSocket,
  openStreamSocket,
  sendDescriptor,
  sendWithDescriptors,
} from "../../base/descriptors.ts";
import type { ForkedProcess, ForkServer } from "./fork-server.ts";
import { createLines } from "./forward-helper-protocol.ts";
import { createAnswers, encodeOrder } from "./helper-frames.ts";
import type { MonitorAnswer, MonitorOrder } from "./monitor-orders.ts";
import type { FdReader } from "./pipes.ts";
import { startHelper } from "./session-helper.ts";
import { createSocketEnds } from "./socket-ends.ts";
import { signalGroup, spawnAs } from "./spawn.ts";

/** Longest answer, which holds what modules said. */
const ANSWER_BYTES_MAX = 512 * 1024;

export interface MonitorProcess {
  /** Also its process group and session id. */
  readonly pid: number;
  /** True: it becomes user programs itself. False: a session must name its child's command. */
  readonly isHelper: boolean;
  readonly exited: Promise<unknown>;
  /** Sends an order with descriptors `fds`, which stay open here. Rejects when the monitor is gone. */
  send(order: MonitorOrder, fds: readonly number[]): Promise<void>;
  /** Null: there are no more answers. One call at a time. */
  next(): Promise<MonitorAnswer | null>;
  /** No more orders. A monitor without a session ends. */
  finish(): void;
  /** No more answers are read either. */
  release(): void;
  kill(): void;
}

/** Starts a monitor process. Throws when no process or descriptor is available. */
export async function openMonitorProcess(helper: string | null): Promise<MonitorProcess> {
  return helper === null ? openOwn() : openHelper((fd) => startAlone(helper, fd));
}

/** Has `server` fork a monitor process. Throws when it cannot. */
export function openForkedProcess(server: ForkServer): Promise<MonitorProcess> {
  return openHelper((fd) => server.open(fd));
}

async function startAlone(path: string, fd: number): Promise<ForkedProcess> {
  const { pid, exited } = startHelper(path, "monitor", ["ignore", "ignore", "ignore", fd]);
  return {
    pid,
    exited: exited.then(() => {}),
    kill: () => void signalGroup(pid, "SIGKILL"),
    forget() {},
  };
}

async function openHelper(start: (fd: number) => Promise<ForkedProcess>): Promise<MonitorProcess> {
  const [ownFd, childFd] = openStreamSocket();
  let child: ForkedProcess;
  try {
    child = await start(childFd);
  } catch (cause) {
    closeSync(ownFd);
    throw cause;
  } finally {
    closeSync(childFd);
  }
  const { reader, writer } = createSocketEnds(ownFd);
  const answers = createAnswers();
  const found = answersOf(reader, answers);
  let isReleased = false;
  return {
    pid: child.pid,
    isHelper: true,
    exited: child.exited,
    async send(order, fds) {
      if (isReleased) throw new Error("the monitor of a session has ended");
      sendWithDescriptors(ownFd, encodeOrder(order), fds);
    },
    async next() {
      const { value, done } = await found.next();
      return done === true ? null : value;
    },
    finish: () => writer.close(),
    release() {
      isReleased = true;
      reader.close();
      child.forget();
    },
    kill: () => child.kill(),
  };
}

/** A monitor of this executable: answers on its stdout, descriptors over a separate socket. */
async function openOwn(): Promise<MonitorProcess> {
  const [ownFd, childFd] = openDescriptorSocket();
  try {
    const child = await spawnAs({
      pty: null,
      extraFd: childFd,
      // Not contained, because it has to close the session after the connection's processes are gone.
      contain: async () => {},
      spec: {
        ...{ user: "root", uid: 0, gid: 0, drop: false, tty: false },
        ...{ home: "/", file: "/", argv: [], env: {}, isMonitor: true },
      },
    });
    void drain(child.stderr);
    void child.exited.then(() => {
      child.stderr?.close();
      closeSync(ownFd);
    });
    const found = answersOf(child.stdout, jsonAnswers());
    return {
      pid: child.pid,
      isHelper: false,
      exited: child.exited,
      async send(order, fds) {
        for (const fd of fds) sendDescriptor(ownFd, fd);
        await child.stdin.write(Buffer.from(`${JSON.stringify(order)}\n`));
      },
      async next() {
        const { value, done } = await found.next();
        return done === true ? null : value;
      },
      finish: () => child.stdin.close(),
      release: () => child.stdout.close(),
      kill: () => void child.signalGroup("SIGKILL"),
    };
  } catch (cause) {
    closeSync(ownFd);
    throw cause;
  }
}

function jsonAnswers(): (data: Uint8Array) => MonitorAnswer[] {
  const lines = createLines(ANSWER_BYTES_MAX);
  return (data) => lines(data).map((line) => JSON.parse(line) as MonitorAnswer);
}

async function* answersOf(
  reader: FdReader,
  cut: (data: Uint8Array) => MonitorAnswer[],
): AsyncGenerator<MonitorAnswer> {
  for (let data = await reader.read(); data !== null; data = await reader.read()) yield* cut(data);
}

async function drain(reader: FdReader | null): Promise<void> {
  while ((await reader?.read()) != null);
}
