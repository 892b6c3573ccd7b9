/**
 * What `make test` runs: static checks, then every test, group by group, and one closing line.
 *
 * With CI=true a skipped test is a failure. `bun test/run.ts GROUP…` runs some groups only.
 */
import { resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "..");
/** Most failures that are shown again, and most lines of each: a log's tail has to hold them. */
const REPORTS_MAX = 20;
const REPORT_LINES_MAX = 24;

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

const STATIC: readonly (readonly [string, readonly string[]])[] = [
  ["types", ["x", "tsc", "--noEmit", "-p", "."]],
  ["biome", ["x", "biome", "check", "--error-on-warnings", "."]],
];

/** Groups of tests, cheapest first; a file is in the first group that has a pattern for it. */
const GROUPS: Readonly<Record<string, RegExp>> = {
  tidy: /^test\/tidy\//,
  unit: /^test\/(?:base|wire|policy|certificate|identity|audit|cli)\//,
  e2e: /^test\/(?:e2e|security|interop)\//,
  integration: /^test\//,
};
/** The order in which they run. */
const ORDER = ["tidy", "unit", "integration", "e2e"] as const;

const allFiles = [...new Bun.Glob("test/**/*.test.ts").scanSync(ROOT)].sort();

function filesOf(group: string): string[] {
  return allFiles.filter(
    (file) => Object.entries(GROUPS).find(([, pattern]) => pattern.test(file))?.[0] === group,
  );
}

const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
const chosen = process.argv.slice(2);
const failures: string[] = [];
/** What is shown once more at the end, where a cut log still has it: each failed test and its error. */
const reports: string[] = [];

if (chosen.length === 0 || chosen.includes("static")) {
  for (const [name, args] of STATIC) {
    heading(name);
    const { exitCode } = Bun.spawnSync([process.execPath, ...args], {
      cwd: ROOT,
      stdout: "inherit",
      stderr: "inherit",
    });
    count(name, exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 });
  }
}
for (const name of ORDER) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  heading(name);
  count(name, await runTests(filesOf(name)));
}
if (process.env.CI === "true" && totals.skipped > 0) {
  failures.push(`${totals.skipped} skipped`);
  totals.failed += totals.skipped;
  totals.skipped = 0;
}
for (const report of reports.slice(0, REPORTS_MAX)) process.stdout.write(`\n${report}\n`);
if (failures.length > 0) process.stdout.write(`\nnot passed: ${failures.join(", ")}\n`);
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
  if (part.failed > 0) failures.push(name);
  process.stdout.write(`${name}: ${part.passed} passed, ${part.failed} failed, ${part.skipped} skipped\n`);
}

/** Runs `bun test` over `files` and reads its summary; a run without tests has failed. */
async function runTests(files: readonly string[]): Promise<Totals> {
  const args = ["test", "--timeout", "60000", ...files.map((file) => `./${file}`)];
  const child = Bun.spawn([process.execPath, ...args], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([pass(child.stdout), pass(child.stderr)]);
  const exitCode = await child.exited;
  const number = (word: string): number =>
    Number(new RegExp(`^\\s*(\\d+) ${word}\\b`, "m").exec(out + err)?.[1] ?? 0);
  const result = {
    passed: number("pass"),
    failed: number("fail") + number("errors?"),
    skipped: number("skip") + number("todo"),
  };
  const ran = result.passed + result.failed + result.skipped;
  if (result.failed === 0 && (exitCode !== 0 || ran === 0)) result.failed = 1;
  reports.push(...failedTests(err));
  return result;
}

/** Each failed test of what `bun test` wrote: its file, the last lines before its name, and its name. */
function failedTests(text: string): string[] {
  const found: string[] = [];
  let file = "";
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    if (/^test\/.*\.test\.ts:$/.test(line)) file = line;
    if (/^\((?:fail|pass|skip|todo)\)/.test(line)) {
      if (line.startsWith("(fail)")) found.push([file, ...lines.slice(-REPORT_LINES_MAX), line].join("\n"));
      lines = [];
    } else if (line.trim() !== "") lines.push(line);
  }
  return found;
}

/** Shows what is not a passed test, and keeps all of it for the summary. */
async function pass(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      text += `${line}\n`;
      if (!line.startsWith("(pass)")) process.stdout.write(`${line}\n`);
    }
  }
  if (rest !== "") process.stdout.write(rest);
  return text + rest;
}
