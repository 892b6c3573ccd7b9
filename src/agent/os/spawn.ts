/**
 * Starts a program as a local user: the session helper, or this executable as a child, becomes that user and
 * executes it.
 *
 * The agent itself runs nothing of a session. The child starts in `/` with an environment built from scratch
 * (BUN_OPTIONS and the like affect even a compiled executable). It leads its own session and waits for its
 * spec, so that it can be put into a control group first.
 *
 * @module
 */

import { closeSync } from "node:fs";
import { ownCommand, ownImage } from "../../base/own-command.ts";
import { CHILD_ARGV, type ChildSpec, type Exit } from "./child-spec.ts";
import { encodeSpec } from "./helper-frames.ts";
import { type FdReader, type FdWriter, openBothWaysPipe, openInputPipe, openOutputPipe } from "./pipes.ts";
import type { Pty } from "./pty.ts";
import { helperPath, startHelper } from "./session-helper.ts";
import { openSocketEnds } from "./socket-ends.ts";

export interface SpawnRequest {
  readonly spec: ChildSpec;
  /** Terminal to run on. Null: three pipes. */
  readonly pty: Pty | null;
  /** A further descriptor for the child, after its spec's. Closed here. Absent: none. */
  readonly extraFd?: number;
  /** Called with the pid before the spec is sent. If it rejects, the child ends. */
  contain(pid: number): Promise<void>;
  /** Starts the child. Absent: this process does. */
  readonly launch?: Launch;
  /** The session helper. Null: use this executable. Absent: whichever this system can run. */
  readonly helper?: string | null;
}

/** Starts a child on three descriptors, which the caller keeps, and sends its spec once it is contained. */
export type Launch = (
  request: SpawnRequest,
  stdio: readonly [number, number, number],
) => Promise<{ readonly pid: number; readonly exited: Promise<Exit> }>;

export interface SpawnedChild {
  /** Also its process group and session id. */
  readonly pid: number;
  readonly stdin: FdWriter;
  readonly stdout: FdReader;
  /** Null with a terminal. */
  readonly stderr: FdReader | null;
  /** The return direction of stderr, for an SFTP server. Null for other programs. */
  readonly answers: FdWriter | null;
  readonly exited: Promise<Exit>;
  /** Signals the whole process group. False once the process has ended, because its number may be reused. */
  signalGroup(signal: NodeJS.Signals): boolean;
}

/**
 * An SFTP server waits for the kernel rather than the processor, so the third compiler tier does not pay off.
 */
const SFTP_ENV = { BUN_JSC_useFTLJIT: "0" };
/** A program that runs a few hundred lines once needs no compiler threads. (bun:ffi needs the compiler.) */
const BRIEF_ENV = { BUN_JSC_useConcurrentJIT: "0" };
/**
 * A monitor also runs little code, and briefly within its user's memory limits, where no runtime thread may
 * need more memory.
 */
const MONITOR_ENV = { ...BRIEF_ENV, BUN_JSC_useConcurrentGC: "0" };

/** Starts `request.spec`. Throws when no process or descriptor is available. */
export async function spawnAs(request: SpawnRequest): Promise<SpawnedChild> {
  const { pty } = request;
  const { input, output } = pty === null ? openStandardStreams(request.spec) : NO_STREAMS;
  const bothWays = pty === null && request.spec.sftp !== undefined ? openBothWaysPipe() : null;
  const errors = bothWays ?? (pty === null ? openOutputPipe() : null);
  const answers = bothWays?.writer ?? null;
  const slave = pty?.slaveFd ?? -1;
  let child: Awaited<ReturnType<Launch>>;
  try {
    child = await (request.launch ?? launchOwn)(request, [
      input?.childFd ?? slave,
      output?.childFd ?? slave,
      errors?.childFd ?? slave,
    ]);
  } catch (cause) {
    for (const end of [input?.writer, output?.reader, errors?.reader, answers]) end?.close();
    throw cause;
  } finally {
    for (const end of [input, output, errors]) if (end !== null) closeSync(end.childFd);
    pty?.closeSlave();
    if (request.extraFd !== undefined) closeSync(request.extraFd);
  }
  let hasExited = false;
  const exited = child.exited.finally(() => {
    hasExited = true;
  });
  return {
    pid: child.pid,
    stdin: input?.writer ?? (pty as Pty).input,
    stdout: output?.reader ?? (pty as Pty).output,
    stderr: errors?.reader ?? null,
    answers,
    exited,
    signalGroup: (signal) => !hasExited && signalGroup(child.pid, signal),
  };
}

const NO_STREAMS = { input: null, output: null };

function openStandardStreams(spec: ChildSpec): {
  readonly input: { readonly writer: FdWriter; readonly childFd: number };
  readonly output: { readonly reader: FdReader; readonly childFd: number };
} {
  const asksMuch = spec.sftp !== undefined || spec.isForwardHelper === true;
  if (!asksMuch) return { input: openInputPipe(), output: openOutputPipe() };
  const { reader, writer, childFds } = openSocketEnds();
  return { input: { writer, childFd: childFds[0] }, output: { reader, childFd: childFds[1] } };
}

/** Starts a program without a monitor. `contain` is called before the spec is sent. */
async function launchOwn(
  { spec, extraFd, contain, helper: wanted = helperPath() }: SpawnRequest,
  stdio: readonly [number, number, number],
): ReturnType<Launch> {
  const orders = openInputPipe();
  let child: Bun.Subprocess | undefined;
  try {
    const extra = extraFd === undefined ? [] : [extraFd];
    const helper = isForHelper(spec) ? wanted : null;
    child =
      helper === null
        ? startOwn([...stdio, orders.childFd, ...extra], spec)
        : startHelper(helper, "child", [...stdio, orders.childFd]);
    closeSync(orders.childFd);
    await contain(child.pid);
    await orders.writer.write(specBytes(spec, helper !== null));
  } catch (cause) {
    if (child === undefined) closeSync(orders.childFd);
    child?.kill("SIGKILL");
    throw cause;
  } finally {
    orders.writer.close();
  }
  const started = child;
  return { pid: started.pid, exited: started.exited.then(() => exitOf(started)) };
}

/** Whether the helper runs it. Our own code runs in this executable. */
export function isForHelper({ isMonitor, isForwardHelper, sftp }: ChildSpec): boolean {
  return isMonitor !== true && isForwardHelper !== true && sftp === undefined;
}

/** The bytes of `spec` as its child reads them. */
export function specBytes(spec: ChildSpec, isForHelper: boolean): Buffer {
  return isForHelper ? encodeSpec(spec) : Buffer.from(JSON.stringify(spec));
}

/** The command of a child of this executable, with an empty environment. */
export function ownChildCommand(spec: ChildSpec): {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const [, ...rest] = ownCommand();
  return { words: [ownImage(), ...rest, ...CHILD_ARGV], env: environmentOf(spec) };
}

/** Starts this executable as a privileged child in a session of its own, with an empty environment. */
export function startOwn(stdio: readonly number[], spec: ChildSpec): Bun.Subprocess {
  return startCommand(stdio, ownChildCommand(spec));
}

export function startCommand(
  stdio: readonly number[],
  { words, env }: ReturnType<typeof ownChildCommand>,
): Bun.Subprocess {
  return Bun.spawn([...words], {
    stdio: stdio as unknown as ["ignore", "ignore", "ignore"],
    cwd: "/",
    env: { ...env },
    detached: true,
  });
}

function environmentOf({ isMonitor, isForwardHelper, sftp }: ChildSpec): Record<string, string> {
  if (isMonitor === true) return MONITOR_ENV;
  if (sftp !== undefined) return SFTP_ENV;
  return isForwardHelper === true ? {} : BRIEF_ENV;
}

export function exitOf(child: Bun.Subprocess): Exit {
  const signal = child.signalCode;
  return { status: child.exitCode, signal: typeof signal === "string" ? signal : null };
}

/** Signals a process group. False: it does not exist, or we may not signal it. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
