/**
 * What a program made of the tests' parts leaves behind when it is interrupted: nothing.
 *
 * Whatever makes accounts, processes or folders says here how to take them away; a program that a person
 * may end with Ctrl-C runs by `interruptible`. Under `bun test` nothing does, and this is a list that nobody
 * reads.
 */
import { readdirSync, readFileSync } from "node:fs";

type Undo = () => void | Promise<void>;

/** Longest that one of them may take before the next has its turn. */
const UNDO_MS_MAX = 15_000;
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

const undos: Undo[] = [];
let isInterrupted = false;

/** Whether there has been one; what is measured from then on says nothing. */
export const wasInterrupted = (): boolean => isInterrupted;

/**
 * Has `undo` called at an interrupt, the last first. Gives back what takes it off the list. Throws once there
 * has been one: then nothing more is to be made.
 */
export function onInterrupt(undo: Undo): () => void {
  if (isInterrupted) throw new Error("interrupted");
  undos.push(undo);
  return () => {
    const at = undos.indexOf(undo);
    if (at !== -1) undos.splice(at, 1);
  };
}

/**
 * Runs `work` such that a signal takes away all there is, and ends the program with 128 and the signal's
 * number. `release` gives the signals back to whoever wants them.
 */
export async function interruptible(work: (release: () => void) => Promise<void>): Promise<void> {
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const handlers = names.map((name) => [name, () => void endBy(name)] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  const release = (): void => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
  try {
    await work(release);
  } catch (cause) {
    // Whatever an interrupt has broken is not worth a word.
    if (!isInterrupted) throw cause;
  }
  if (isInterrupted) await new Promise<never>(() => {});
}

async function endBy(signal: keyof typeof SIGNALS): Promise<void> {
  // A second Ctrl-C must not stop half-way what the first began.
  if (isInterrupted) return;
  isInterrupted = true;
  process.stderr.write("interrupted; taking away what was made\n");
  for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
    const work = Promise.resolve(undo()).catch((cause: unknown) => process.stderr.write(`${cause}\n`));
    await Promise.race([work, Bun.sleep(UNDO_MS_MAX)]);
  }
  process.exit(128 + SIGNALS[signal]);
}

/** Pids of the processes that have `folder`, or something in it, among their arguments; never our own. */
export function processesOn(folder: string): number[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words.some((word) => word === folder || word.startsWith(`${folder}/`)) ? [pid] : [];
    } catch {
      return []; // Gone meanwhile.
    }
  });
}

/** `kill -9` of all of these. */
export function killAllOn(folder: string): void {
  for (const pid of processesOn(folder)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone by itself.
    }
  }
}
