/**
 * Processor time of a server and of all that it has started, from proc(5), looked at again and again: what
 * sshd's own children end with is waited for by nobody whose figures say so. Processes that last less than a
 * moment are missed, so it is for transfers.
 */
import { readFileSync } from "node:fs";
import { median, timed } from "./figures.ts";

/** USER_HZ of Linux. */
const TICKS_PER_SECOND = 100;
const LOOK_MS = 30;
/** After the client has ended, the server's processes end. */
const SETTLE_MS = 300;

export interface Cost {
  readonly elapsedMs: number;
  /** Of the server, user and system. */
  readonly processorMs: number;
}

/** Median of both for each of the commands, run in turn; what they cost `server` is counted with them. */
export async function costsInTurn(
  runs: number,
  ...commands: readonly { readonly server: number; run(): Promise<void> }[]
): Promise<Cost[]> {
  const samples = commands.map((): Cost[] => []);
  for (let run = 0; run < runs + 1; run++) {
    for (const [at, { server, run: command }] of commands.entries()) {
      const watch = watchProcessor(server);
      const elapsedMs = await timed(command);
      await Bun.sleep(SETTLE_MS);
      const processorMs = watch.stop();
      if (run > 0) samples[at]?.push({ elapsedMs, processorMs });
    }
  }
  return samples.map((all) => ({
    elapsedMs: median(all.map((one) => one.elapsedMs)),
    processorMs: median(all.map((one) => one.processorMs)),
  }));
}

/** Adds up what `root` and its descendants use from now on. */
function watchProcessor(root: number): { stop(): number } {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  let isFirstLook = true;
  const look = (): void => {
    for (const pid of family(root)) {
      const ms = processorMs(pid);
      if (ms === null) continue;
      if (!first.has(pid)) first.set(pid, isFirstLook ? ms : 0);
      last.set(pid, ms);
    }
    isFirstLook = false;
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
      return [...last].reduce((sum, [pid, ms]) => sum + ms - (first.get(pid) ?? 0), 0);
    },
  };
}

function family(root: number): number[] {
  const found = [root];
  for (const pid of found) found.push(...childrenOf(pid));
  return found;
}

function childrenOf(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").filter(Boolean).map(Number);
}

/** Its own, without that of its children. Null: it has gone. */
function processorMs(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === "") return null;
  // The name of the program, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime and stime: fields 14 and 15 of the line, of which two are gone.
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
