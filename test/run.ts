/**
 * What `make test` runs: static checks, then every test, group by group, and one closing line.
 *
 * With CI=true a skipped test is a failure. `bun test/run.ts GROUP…` runs some groups only; `QF_TEST_JOBS=1`
 * runs one process at a time.
 */
import { resolve } from "node:path";
import { executablePath } from "./support/executable.ts";
import { type BatchResult, jobCount, runBatch, runPool, type Totals, textOf } from "./support/test-pool.ts";

const ROOT = resolve(import.meta.dir, "..");
/** Most failures that are shown again at the end, where a log that is cut still has them. */
const FAILURES_MAX = 20;

const STATIC: readonly (readonly [string, readonly string[]])[] = [
  ["types", ["x", "tsc", "--noEmit", "-p", "."]],
  ["biome", ["x", "biome", "check", "--error-on-warnings", "."]],
];

/** Groups of tests; a file is in the first group that has a pattern for it. */
const GROUPS: Readonly<Record<string, RegExp>> = {
  tidy: /^test\/tidy\//,
  unit: /^test\/(?:base|wire|policy|certificate|identity|audit|cli)\//,
  e2e: /^test\/(?:e2e|security|interop)\//,
  integration: /^test\//,
};
/** The order in which they run; groups of one step share the processors, the longest first. */
const STEPS = [["tidy"], ["unit"], ["e2e", "integration"]] as const;
/** Groups that are one process: their files are done in less time than a process starts. */
const QUICK: ReadonlySet<string> = new Set(["tidy", "unit"]);
/** Files that change what the whole machine has only once, and so run alone. */
const ALONE: readonly string[] = [
  "test/agent/os/containment.test.ts", // control groups: each agent clears away those that others have left
  "test/agent/os/fork-server.test.ts", // /etc/pam.d/qufabric
  "test/agent/os/monitor.test.ts", // /etc/pam.d/qufabric
  "test/agent/ssh-server/os-session.test.ts", // /etc/pam.d/qufabric
  "test/agent/ssh-server/admit.test.ts", // /etc/passwd, past useradd
];

const allFiles = [...new Bun.Glob("test/**/*.test.ts").scanSync(ROOT)].sort();

function filesOf(group: string): string[] {
  return allFiles.filter(
    (file) => Object.entries(GROUPS).find(([, pattern]) => pattern.test(file))?.[0] === group,
  );
}

const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
const chosen = process.argv.slice(2);
const failedGroups: string[] = [];
const failures: string[] = [];

// Files that run alone wait more than they work, and static and quick groups disturb none of them.
const alone = runAlone();
if (chosen.length === 0 || chosen.includes("static")) {
  for (const [name, args] of STATIC) {
    const child = Bun.spawn([process.execPath, ...args], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    heading(name);
    process.stdout.write(out + err);
    const passed = (await child.exited) === 0 ? 1 : 0;
    count(name, { passed, failed: 1 - passed, skipped: 0 });
  }
}
for (const step of STEPS) {
  const groups = step.filter(isChosen);
  if (groups.length === 0) continue;
  const name = groups.join(", ");
  if (groups.every((group) => QUICK.has(group))) {
    const result = await runBatch(groups.flatMap(filesOf), ROOT);
    heading(name);
    count(name, add(result));
  } else {
    await alone;
    heading(name);
    count(name, await runTogether(groups));
  }
}
if (process.env.CI === "true" && totals.skipped > 0) {
  failedGroups.push(`${totals.skipped} skipped`);
  totals.failed += totals.skipped;
  totals.skipped = 0;
}
for (const failure of failures.slice(0, FAILURES_MAX)) process.stdout.write(`\n${failure}\n`);
if (failedGroups.length > 0) process.stdout.write(`\nnot passed: ${failedGroups.join(", ")}\n`);
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : "";
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed${skipped}\n`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;

function heading(name: string): void {
  process.stdout.write(`\n== ${name}\n`);
}

function count(name: string, part: Totals): void {
  totals.passed += part.passed;
  totals.failed += part.failed;
  totals.skipped += part.skipped;
  if (part.failed > 0) failedGroups.push(name);
  process.stdout.write(`${name}: ${part.passed} passed, ${part.failed} failed, ${part.skipped} skipped\n`);
}

function isChosen(group: string): boolean {
  return chosen.length === 0 || chosen.includes(group);
}

async function runTogether(groups: readonly string[]): Promise<Totals> {
  const sum: Totals = { passed: 0, failed: 0, skipped: 0 };
  const files = groups.flatMap(filesOf).filter((file) => !ALONE.includes(file));
  await executablePath(); // Once, before several ask for it.
  await runPool(files, { root: ROOT, jobs: jobCount(), onResult: (result) => add(result, sum) });
  return sum;
}

/** Runs the files of chosen groups that run alone, one after another. */
async function runAlone(): Promise<void> {
  const files = Object.keys(GROUPS)
    .filter(isChosen)
    .flatMap(filesOf)
    .filter((file) => ALONE.includes(file));
  if (files.length === 0) return;
  await executablePath();
  const result = await runBatch(files, ROOT);
  heading("alone");
  count("alone", add(result));
}

/** Shows what a batch printed, and adds its counts to `sum`. */
function add(result: BatchResult, sum: Totals = { passed: 0, failed: 0, skipped: 0 }): Totals {
  for (const key of ["passed", "failed", "skipped"] as const) sum[key] += result.totals[key];
  failures.push(...result.failures);
  process.stdout.write(`${result.text}\n\n`);
  return sum;
}
