/**
 * A shell that prints 100 MB on a terminal, recorded beside not recorded; what the agent's memory grows by
 * while it is recorded; and the processor time of agent and management, which says more where others run too.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Recording } from "../../src/wire/recording.ts";
import { policyBody } from "../support/lab.ts";
import { type Bench, MBps, median, type Part } from "./figures.ts";
import { type Field, openField } from "./openssh.ts";
import { processorMs } from "./session-cost.ts";

const BYTES = 100_000_000;
const RUNS = 5;
const POLL_MS = 20;
const RECORD = ["off", "best_effort", "required"] as const;
type Record = (typeof RECORD)[number];

export const recordingPart: Part = {
  name: "recording",
  async run(bench) {
    await using field = await openField();
    const path = textFile(join(field.folder, "printed"));
    const spent: { [mode in Record]: number[] } = { off: [], best_effort: [], required: [] };
    const processor: { [mode in Record]: number[] } = { off: [], best_effort: [], required: [] };
    const grown: number[] = [];
    await field.renew();
    for (let run = 0; run <= RUNS; run++) {
      for (const mode of RECORD) {
        await setRecord(field, mode);
        const { ms, peakBytes, processorMs: used } = await print(field, path);
        // The first round warms the caches up.
        if (run > 0) spent[mode].push(ms);
        if (run > 0) processor[mode].push(used);
        if (run > 0 && mode !== "off") grown.push(peakBytes);
      }
      await field.renew();
    }
    await checkRecorded(field);
    for (const mode of ["best_effort", "required"] as const) addRow(bench, { mode, spent, processor, grown });
  },
};

function addRow(
  bench: Bench,
  measured: {
    readonly mode: "best_effort" | "required";
    readonly spent: { readonly [mode in Record]: readonly number[] };
    readonly processor: { readonly [mode in Record]: readonly number[] };
    readonly grown: readonly number[];
  },
): void {
  const { mode, spent, processor, grown } = measured;
  const [off, on] = [median(spent.off), median(spent[mode])];
  const [offUsed, onUsed] = [median(processor.off), median(processor[mode])];
  const peak = Math.max(...grown) / 1e6;
  bench.add({
    what: `a shell prints 100 MB on a terminal, recorded (${mode})`,
    ours: `${MBps(BYTES, on).toFixed(0)} MB/s, the agent's memory grows by at most ${peak.toFixed(0)} MB`,
    against: `not recorded ${MBps(BYTES, off).toFixed(0)} MB/s; processor ${onUsed}, ${offUsed} ms`,
    ratio: `${(off / on).toFixed(2)} x`,
    reach: ">= 0.7 x",
    figures: {
      offMs: off,
      onMs: on,
      ratio: off / on,
      peakMB: peak,
      offProcessorMs: offUsed,
      onProcessorMs: onUsed,
    },
  });
}

/** Lines of many kinds, as logs are. */
function textFile(path: string): string {
  const lines: string[] = [];
  for (let bytes = 0, n = 0; bytes < 1_000_000; n++) {
    const request = (n * 2_654_435_761) % 4_294_967_296;
    const line = `${1_800_000_000 + n * 7} \u001b[32minfo\u001b[0m request ${request} done\n`;
    lines.push(line);
    bytes += line.length;
  }
  writeFileSync(
    path,
    lines
      .join("")
      .slice(0, 1_000_000)
      .repeat(BYTES / 1_000_000),
  );
  return path;
}

async function print(
  field: Field,
  path: string,
): Promise<{ ms: number; peakBytes: number; processorMs: number }> {
  const { ssh, destination, env } = field.direct;
  const { pid } = await field.agent.status();
  const before = residentBytes(pid);
  const servers = [pid, ...(field.lab.management ? [field.lab.management.process.pid] : [])];
  const used = (): number => servers.reduce((sum, one) => sum + processorMs(one), 0);
  const usedBefore = used();
  const startMs = performance.now();
  const child = Bun.spawn(["ssh", ...ssh, "-tt", destination, `stty -opost; cat ${path}`], {
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  let bytes = 0;
  let peak = before;
  const watching = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid));
  }, POLL_MS);
  for await (const piece of child.stdout) bytes += piece.length;
  await child.exited;
  const ms = performance.now() - startMs;
  clearInterval(watching);
  if (bytes < BYTES) throw new Error(`only ${bytes} bytes were printed`);
  return { ms, peakBytes: peak - before, processorMs: used() - usedBefore };
}

function residentBytes(pid: number): number {
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0);
}

async function setRecord(field: Field, record: Record): Promise<void> {
  const { lab, devs, servers, policy, user } = field;
  const rule = { authorized_groups: { [devs]: [user] }, ssh: { record } };
  await lab.api("PUT", `/api/policies/${policy.id}`, policyBody("devs", [devs], [servers], rule));
  await lab.until("the rule counts", async () => {
    const { ssh, destination, env } = field.direct;
    const child = Bun.spawn(["ssh", ...ssh, destination, "true"], { env, stdout: "ignore", stderr: "pipe" });
    const said = await new Response(child.stderr).text();
    return said.includes("recorded") === (record !== "off");
  });
}

/** The work was really done. */
async function checkRecorded({ lab }: Field): Promise<void> {
  const large = await lab.until("all is stored", async () => {
    const all = await lab.api<Recording[]>("GET", "/api/recordings");
    return all.every(({ status }) => status !== "running") && all;
  });
  const whole = large.filter(({ chunks, status }) => chunks > 1_000 && status === "complete");
  if (whole.length < 2 * RUNS) throw new Error(`only ${whole.length} recordings are whole`);
}
