/** Processor time of a server and of all that it has started, from proc(5). */
import { readFileSync } from "node:fs";
import { median, timed } from "./figures.ts";

/** USER_HZ of Linux. */
const TICKS_PER_SECOND = 100;
/** For what has ended to be waited for by its parent, and so to count. */
const SETTLE_MS = 150;

/** Milliseconds that `pid`, and those of its descendants that are waited for, have used: user and system. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime, stime, cutime, cstime: fields 14 to 17 of the line, of which two are gone.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return (ticks * 1000) / TICKS_PER_SECOND;
}

export interface Cost {
  readonly elapsedMs: number;
  /** Of the server. */
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
      const before = processorMs(server);
      const elapsedMs = await timed(command);
      await Bun.sleep(SETTLE_MS);
      if (run > 0) samples[at]?.push({ elapsedMs, processorMs: processorMs(server) - before });
    }
  }
  return samples.map((all) => ({
    elapsedMs: median(all.map((one) => one.elapsedMs)),
    processorMs: median(all.map((one) => one.processorMs)),
  }));
}
