/**
 * Processor time that a server spends on a connection with a command, beside Debian's sshd: of its own
 * process, of all it started that has ended, and of what still runs below it.
 */
import { readFileSync } from "node:fs";
import { type Bench, ms, type Part, running } from "./figures.ts";
import { processTree } from "./memory.ts";
import { type Field, openField, type Way } from "./openssh.ts";

const RUNS = 200;
/** In turn, so that what disturbs one disturbs the other; and the certificate stays fresh. */
const ROUND = 20;
/** Linux counts in hundredths of a second for user space, whatever its clock is. */
const TICK_MS = 10;
/** What a connection leaves to do: its end is stored, its session closed. */
const SETTLE_MS = 1_000;

export const sessionCostPart: Part = {
  name: "sessions",
  async run(bench) {
    await using field = await openField();
    await measure(bench, field);
  },
};

async function measure(bench: Bench, field: Field): Promise<void> {
  const { pid } = await field.agent.status();
  const spent = { ours: 0, sshd: 0 };
  for (let done = 0; done < RUNS; done += ROUND) {
    await field.renew();
    spent.ours += await spentMs(pid, field.direct);
    spent.sshd += await spentMs(field.sshdServer.pid, field.sshd);
  }
  const ours = spent.ours / RUNS;
  const theirs = spent.sshd / RUNS;
  bench.add({
    what: "processor time of the server for `ssh host true`",
    ours: ms(ours),
    against: `sshd ${ms(theirs)}`,
    ratio: `${(theirs / ours).toFixed(2)} x`,
    reach: "<= 12 ms",
    figures: { oursMs: ours, sshdMs: theirs, ratio: theirs / ours },
  });
}

async function spentMs(pid: number, way: Way): Promise<number> {
  const command = running(["ssh", ...way.ssh, way.destination, "true"], way.env);
  await Bun.sleep(SETTLE_MS);
  const before = processorMs(pid);
  for (let run = 0; run < ROUND; run++) await command();
  await Bun.sleep(SETTLE_MS);
  return processorMs(pid) - before;
}

/** Of `pid` and all below it, and of all that has ended there and was waited for. */
export function processorMs(pid: number): number {
  return processTree(pid).reduce((sum, one) => sum + ticksOf(one), 0) * TICK_MS;
}

function ticksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // User and system time, then those of children that were waited for: proc_pid_stat(5), 14 to 17.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  } catch {
    return 0;
  }
}
