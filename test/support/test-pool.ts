/**
 * Several `bun test` processes at once, each with a few files at a time.
 *
 * Most of a test's time is waiting for processes and networks: one process uses a third of two processors.
 * What a batch prints is shown when it is over, so that the lines of two never mix.
 */
import { availableParallelism } from "node:os";

export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** What one `bun test` process has come to. */
export interface BatchResult {
  readonly totals: Totals;
  /** All it printed but its passed tests. */
  readonly text: string;
  /** Each failed test with the last lines before its name. */
  readonly failures: readonly string[];
}

/** A process starts in a third of a second, so a few files share one; many would leave the last one alone. */
const FILES_PER_BATCH = 4;
/** Files that take longest: a batch each, started first, so that nothing waits for them at the end. */
const SLOW: readonly string[] = [
  "test/management/postgres/api-suite.test.ts",
  "test/management/postgres/suites.test.ts",
  "test/management/postgres/relay.test.ts",
  "test/e2e/rolling-restart.test.ts",
  "test/e2e/reverse-proxy.test.ts",
];
/** Most lines of a failure that are shown again. */
const FAILURE_LINES_MAX = 24;
/** Longest run of a batch: each test has a minute, and none comes near it. */
const BATCH_TIMEOUT_MS = 15 * 60_000;

/** Processes at once: `QF_TEST_JOBS`, or one more than processors, four at most. */
export function jobCount(): number {
  const asked = Number(process.env.QF_TEST_JOBS ?? "");
  return asked >= 1 ? Math.trunc(asked) : Math.min(4, availableParallelism() + 1);
}

/** Runs `files`, `jobs` batches at once; `onResult` hears of each batch when it is over. */
export async function runPool(
  files: readonly string[],
  options: { readonly root: string; readonly jobs: number; readonly onResult: (result: BatchResult) => void },
): Promise<void> {
  const batches = batchesOf(files);
  const work = async (): Promise<void> => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift())
      options.onResult(await runBatch(batch, options.root));
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
}

/** Slow files one by one, then the others a few at a time. */
function batchesOf(files: readonly string[]): string[][] {
  const batches = SLOW.filter((file) => files.includes(file)).map((file) => [file]);
  const others = files.filter((file) => !SLOW.includes(file));
  for (let i = 0; i < others.length; i += FILES_PER_BATCH) batches.push(others.slice(i, i + FILES_PER_BATCH));
  return batches;
}

/** Runs `bun test` over `files`, and reads its summary; a run without tests has failed. */
export async function runBatch(files: readonly string[], root: string): Promise<BatchResult> {
  const args = ["test", "--timeout", "60000", ...files.map((file) => `./${file}`)];
  const child = Bun.spawn([process.execPath, ...args], {
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
    timeout: BATCH_TIMEOUT_MS,
  });
  const startedMs = performance.now();
  const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const result = readResult(out + err, await child.exited);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  // Of the process and of those that it has waited for.
  const processorSeconds = (Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6).toFixed(1);
  const took = `${seconds} s (${processorSeconds} s of processors)`;
  const names = files.length > FILES_PER_BATCH ? `${files.length} files` : files.join(" ");
  return { ...result, text: `${result.text}\n-- ${took}: ${names}` };
}

/** What `bun test` printed, as counts and failures. */
export function readResult(printed: string, exitCode: number): BatchResult {
  const number = (word: string): number =>
    Number(new RegExp(`^\\s*(\\d+) ${word}\\b`, "m").exec(printed)?.[1] ?? 0);
  const totals = {
    passed: number("pass"),
    failed: number("fail") + number("errors?"),
    skipped: number("skip") + number("todo"),
  };
  const ran = totals.passed + totals.failed + totals.skipped;
  if (totals.failed === 0 && (exitCode !== 0 || ran === 0)) totals.failed = 1;
  const lines = printed.split("\n").filter((line) => !line.startsWith("(pass)") && line.trim() !== "");
  const text = lines.join("\n");
  const failures = failedTests(printed);
  // A process that ended early has no failed test to show.
  if (totals.failed > 0 && failures.length === 0) failures.push(lines.slice(-FAILURE_LINES_MAX).join("\n"));
  return { totals, text, failures };
}

/** Each failed test: its file, the last lines before its name, and its name. */
function failedTests(printed: string): string[] {
  const found: string[] = [];
  let file = "";
  let lines: string[] = [];
  for (const line of printed.split("\n")) {
    if (/^test\/.*\.test\.ts:$/.test(line)) file = line;
    // After the last file Bun says again which tests have failed.
    if (/^\d+ tests? (?:failed|skipped):$/.test(line)) break;
    if (/^\((?:fail|pass|skip|todo)\)/.test(line)) {
      if (line.startsWith("(fail)")) found.push([file, ...lines.slice(-FAILURE_LINES_MAX), line].join("\n"));
      lines = [];
    } else if (line.trim() !== "") lines.push(line);
  }
  return found;
}

/** All that a process printed. */
export function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}
