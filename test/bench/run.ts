/**
 * What `make bench` prints: figures of this machine, side by side, as medians and ratios, in one table at
 * the end. `bun test/bench/run.ts [--json FILE] [PART…]` runs the named parts only.
 *
 * `ROWS` in the environment: of the part `bulk`, only rows whose names have this text.
 *
 * Nothing is asserted here but that the work was really done. The same figures go to `dist/bench.json`
 * for programs.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, resolve } from "node:path";
import { executablePath } from "../support/executable.ts";
import { interruptible, wasInterrupted } from "../support/interrupt.ts";
import { agentsPart } from "./agents.ts";
import { apiPart } from "./api.ts";
import { approvalPart } from "./approval.ts";
import { changesPart } from "./changes.ts";
import { bulkPart, connectPart, startPart } from "./connect.ts";
import { crowdPart } from "./crowd.ts";
import { dashboardPart } from "./dashboard.ts";
import { benchDecide } from "./decide.ts";
import type { Bench, Part, Row } from "./figures.ts";
import { forwardPart } from "./forward-part.ts";
import { idlePart } from "./idle.ts";
import { logPart } from "./log.ts";
import { policyDiffPart } from "./policy-diff.ts";
import { recordingPart } from "./recording.ts";
import { relayIdlePart, relayPart } from "./relay.ts";
import { sessionCostPart } from "./session-cost.ts";
import { sessionRatePart } from "./session-rate.ts";
import { shellCrowdPart } from "./shell-crowd.ts";
import { soakPart } from "./soak-part.ts";
import { terminalPart } from "./terminal.ts";

const decidePart: Part = {
  name: "decide",
  async run({ add }) {
    const decided = benchDecide();
    add({
      what: "`decide`, 1,000 rules, 10,000 users, a denial with full trace",
      ours: `${decided.medianUs.toFixed(1)} us (p99 ${decided.p99Us.toFixed(1)} us)`,
      reach: "<= 20 us",
      figures: { ...decided },
    });
  },
};

const PARTS: readonly Part[] = [
  decidePart,
  policyDiffPart,
  startPart,
  connectPart,
  sessionCostPart,
  sessionRatePart,
  bulkPart,
  forwardPart,
  idlePart,
  crowdPart,
  shellCrowdPart,
  changesPart,
  apiPart,
  logPart,
  recordingPart,
  approvalPart,
  relayPart,
  relayIdlePart,
  agentsPart,
  terminalPart,
  dashboardPart,
  soakPart,
];

function usage(): never {
  throw new Error(`the parts are: ${PARTS.map(({ name }) => name).join(" ")}`);
}

/** In the form of the table in BENCHMARKS.md, to be copied there as it is. */
function printTable(rows: readonly Row[], loadBefore: number): void {
  const load = `load ${loadBefore.toFixed(1)} before it began`;
  process.stdout.write(`\n${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${load}\n\n`);
  process.stdout.write("| what | QuFabric | against | ratio | to reach |\n|---|---|---|---|---|\n");
  for (const { what, ours, against = "", ratio = "", reach = "" } of rows)
    process.stdout.write(`| ${[what, ours, against, ratio, reach].map(typeset).join(" | ")} |\n`);
}

function typeset(cell: string): string {
  return cell
    .replace(/ us\b/g, " µs")
    .replace(/ x(?= |$)/g, " ×")
    .replaceAll("<=", "≤")
    .replaceAll(">=", "≥");
}

async function main(args: string[]): Promise<void> {
  const json =
    args[0] === "--json" ? args.splice(0, 2)[1] : resolve(import.meta.dir, "../../dist/bench.json");
  if (json === undefined || args.some((arg) => !PARTS.some(({ name }) => name === arg))) usage();
  // What others did on the machine is in every figure; who reads them should know.
  const [loadBefore = Number.NaN] = loadavg();
  const rows: Row[] = [];
  const results: object[] = [];
  const bench: Bench = {
    executable: await executablePath(),
    add: (row) => {
      rows.push(row);
      process.stderr.write(`${row.what}: ${row.ours} ${row.against ?? ""} ${row.ratio ?? ""}\n`);
    },
    note: (text) => void process.stdout.write(`\n${text}\n`),
  };
  let failures = 0;
  for (const part of PARTS) {
    if (wasInterrupted() || (args.length > 0 && !args.includes(part.name))) continue;
    process.stderr.write(`-- ${part.name}\n`);
    const from = rows.length;
    try {
      await part.run(bench);
    } catch (cause) {
      // What was measured by then, and by the others, is worth having.
      failures += 1;
      process.stderr.write(`${part.name}: ${cause instanceof Error ? cause.message : cause}\n`);
    }
    results.push(...rows.slice(from).map((row) => ({ part: part.name, ...row })));
  }
  if (wasInterrupted()) return;
  printTable(rows, loadBefore);
  mkdirSync(dirname(json), { recursive: true });
  const machine = { cpu: cpus()[0]?.model.trim() ?? "", cores: cpus().length, loadBefore };
  writeFileSync(json, `${JSON.stringify({ machine, rows: results }, null, 2)}\n`);
  process.exitCode = failures === 0 ? 0 : 1;
}

await interruptible(() => main(process.argv.slice(2)));
