/**
 * What `make mutants` runs: puts each listed fault into a copy of the tree, one at a time, and tells which
 * no test notices. `bun test/mutants/run.ts [PART…]` takes those whose name or area has one of these parts.
 *
 * A fault that is not noticed needs a test, or its reason in the list (`accepted`). Accepted faults are run
 * too: one that a test notices after all loses its reason.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { type Mutant, readMutants } from "./fault.ts";
import { runInLanes } from "./lanes.ts";
import { openScratchTrees, type ScratchTree, type TestRun } from "./scratch-tree.ts";

const ROOT = resolve(import.meta.dir, "../..");
/** Time for one fault. A test that hangs because of it has noticed it. */
const FAULT_MS_MAX = 180_000;
/** Time for all. What is left over is reported as not run. */
const ALL_MS_MAX = 90 * 60_000;
/** Most copies of the tree that are tested at once. */
const LANES_MAX = 4;
/** Least share of faults that tests must notice. */
const NOTICED_PERCENT_MIN = 95;

type Result = "noticed" | "survived" | "stale" | "broken" | "not run";

interface Outcome {
  readonly mutant: Mutant;
  readonly result: Result;
  readonly detail: string;
}

const parts = process.argv.slice(2);
const chosen = readMutants().filter(
  ({ name, area }) => parts.length === 0 || parts.some((part) => area === part || name.includes(part)),
);
process.exitCode = chosen.length === 0 ? nothingChosen() : await runAll(chosen);

function nothingChosen(): number {
  process.stderr.write(`mutants: no fault is named like ${parts.join(" or ")}\n`);
  return 2;
}

async function runAll(mutants: readonly Mutant[]): Promise<number> {
  const started = performance.now();
  using trees = openScratchTrees(ROOT, Math.min(availableParallelism(), LANES_MAX));
  const failing = await failingTests(trees.all, mutants);
  if (failing.length > 0) {
    process.stdout.write(`these fail without any fault, which says nothing:\n  ${failing.join("\n  ")}\n`);
    return 1;
  }
  const outcomes: Outcome[] = [];
  await runInLanes(trees.all, mutants, async (tree, mutant) => {
    const isLate = performance.now() - started > ALL_MS_MAX;
    const outcome = isLate ? { mutant, result: "not run" as const, detail: "" } : await judge(tree, mutant);
    outcomes.push(outcome);
    show(outcome);
  });
  return summarize(outcomes, (performance.now() - started) / 1000);
}

/** Test files that fail in the tree as it is. */
async function failingTests(
  trees: readonly ScratchTree[],
  mutants: readonly Mutant[],
): Promise<readonly string[]> {
  const files = [...new Set(mutants.flatMap(({ tests }) => tests))].sort();
  process.stdout.write(`${mutants.length} faults; ${files.length} test files, first as they are\n`);
  const failing: string[] = [];
  await runInLanes(
    trees,
    files.map((file) => ({ tests: [file] })),
    async (tree, { tests }) => {
      const { result, output } = await tree.runTests(tests, FAULT_MS_MAX);
      if (result !== "passed") failing.push(`${tests[0]}: ${lastLines(output)}`);
    },
  );
  return failing;
}

async function judge(tree: ScratchTree, mutant: Mutant): Promise<Outcome> {
  if (!tree.apply(mutant)) return { mutant, result: "stale", detail: "its text is not there once" };
  const started = performance.now();
  try {
    const run = await tree.runTests(mutant.tests, FAULT_MS_MAX);
    const detail = `${((performance.now() - started) / 1000).toFixed(1)} s`;
    return { mutant, result: resultOf(run), detail };
  } finally {
    tree.restore(mutant.file);
  }
}

/** Code that cannot even be loaded, or names what there is not, fails every test and proves nothing. */
function resultOf({ result, output }: TestRun): Result {
  if (result === "passed") return "survived";
  if (result === "timed out") return "noticed";
  const hasRun = /^\((?:pass|fail)\)/m.test(output);
  return !hasRun || /ReferenceError: \w+ is not defined/.test(output) ? "broken" : "noticed";
}

function show({ mutant, result, detail }: Outcome): void {
  const accepted = mutant.accepted === null ? "" : ` (accepted: ${mutant.accepted})`;
  const told = result === "noticed" ? "" : `\n    ${mutant.breaks}${accepted}`;
  process.stdout.write(`${result.padEnd(8)} ${mutant.name} ${detail}${told}\n`);
}

function summarize(outcomes: readonly Outcome[], seconds: number): number {
  const areas = [...new Set(outcomes.map(({ mutant }) => mutant.area))].sort();
  const rows = [...areas, "all"].map((area) => {
    const some = outcomes.filter(({ mutant }) => area === "all" || mutant.area === area);
    return [area, ...countsOf(some).map(String)];
  });
  const head = ["area", "faults", "noticed", "survived", "accepted", "stale", "broken", "not run"];
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(14) : cell.padStart(9))).join("");
  process.stdout.write(`\n${[head, ...rows].map(line).join("\n")}\n`);
  const wrong = outcomes.filter(isWrong);
  if (wrong.length > 0) {
    process.stdout.write(`\nneeds a test, or a line in the list:\n`);
    for (const { mutant, result } of wrong) process.stdout.write(`  ${mutant.name} ${result}\n`);
  }
  const noticed = outcomes.filter(({ result }) => result === "noticed").length;
  const percent = (100 * noticed) / outcomes.length;
  const time = `${Math.round(seconds)} s`;
  process.stdout.write(`\n${noticed} of ${outcomes.length} noticed (${percent.toFixed(1)} %), ${time}\n`);
  return wrong.length === 0 && percent >= NOTICED_PERCENT_MIN ? 0 : 1;
}

function countsOf(outcomes: readonly Outcome[]): number[] {
  const of = (result: Result, accepted?: boolean): number =>
    outcomes.filter(
      (one) =>
        one.result === result &&
        (accepted ?? one.mutant.accepted !== null) === (one.mutant.accepted !== null),
    ).length;
  return [
    outcomes.length,
    of("noticed"),
    of("survived", false),
    of("survived", true),
    of("stale"),
    of("broken"),
    of("not run"),
  ];
}

/** What needs work: a test, or a line of the list. */
function isWrong({ mutant, result }: Outcome): boolean {
  if (mutant.accepted !== null) return result !== "survived";
  return result !== "noticed";
}

function lastLines(output: string): string {
  const lines = output.split("\n").filter((line) => /^\(fail\)|^error:|expect\(/.test(line.trim()));
  return lines.slice(0, 3).join("; ");
}
