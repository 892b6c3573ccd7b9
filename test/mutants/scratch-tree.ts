/**
 * Copies of the tree in which faults can be put without harm: sources and tests only, below `dist/`, so that
 * packages are found where they are.
 *
 * @module
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyFault, type Mutant } from "./fault.ts";

const PARTS = [
  "src",
  "test",
  // What `management/web/read-documents.ts` reads at build time.
  "docs",
  "README.md",
  "SECURITY.md",
  "BENCHMARKS.md",
  "CHANGELOG.md",
  "patches",
  "build.ts",
  "bunfig.toml",
  "package.json",
  "install.sh",
  "tsconfig.json",
  "bun.lock",
];

export interface TestRun {
  readonly result: "passed" | "failed" | "timed out";
  readonly output: string;
}

export interface ScratchTree {
  /** Puts the fault into the copy. False: its text is not there exactly once. */
  apply(mutant: Pick<Mutant, "file" | "find" | "replace">): boolean;
  /** Makes the file again what it is outside of the copy. */
  restore(file: string): void;
  /** Runs test files, one after the other, until one test fails. */
  runTests(files: readonly string[], timeoutMs: number): Promise<TestRun>;
}

export interface ScratchTrees extends Disposable {
  readonly all: readonly ScratchTree[];
}

/** Makes `count` copies of the tree at `root`; disposing removes them. One set at a time for one root. */
export function openScratchTrees(root: string, count: number): ScratchTrees {
  const folder = join(root, "dist/mutants");
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  remove();
  const all = Array.from({ length: count }, (_, i) => copyTree(root, join(folder, String(i))));
  return { all, [Symbol.dispose]: remove };
}

function copyTree(root: string, copy: string): ScratchTree {
  mkdirSync(copy, { recursive: true });
  for (const part of PARTS) cpSync(join(root, part), join(copy, part), { recursive: true });
  return {
    apply(mutant) {
      const text = applyFault(readFileSync(join(root, mutant.file), "utf8"), mutant);
      if (text !== null) writeFileSync(join(copy, mutant.file), text);
      return text !== null;
    },
    restore(file) {
      writeFileSync(join(copy, file), readFileSync(join(root, file)));
    },
    runTests: (files, timeoutMs) => runTests(copy, files, timeoutMs),
  };
}

async function runTests(copy: string, files: readonly string[], timeoutMs: number): Promise<TestRun> {
  let last: TestRun = { result: "failed", output: "no tests" };
  for (const file of files) {
    last = await runFile(copy, file, timeoutMs);
    if (last.result !== "passed") break;
  }
  return last;
}

async function runFile(copy: string, file: string, timeoutMs: number): Promise<TestRun> {
  const child = Bun.spawn(
    [process.execPath, "test", "--bail", "--timeout", "60000", `./${file}`],
    // A group of its own: what tests start ends with them.
    { cwd: copy, detached: true, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  let isLate = false;
  const endAll = (): void => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nothing of it is left.
    }
  };
  const timer = setTimeout(() => {
    isLate = true;
    endAll();
  }, timeoutMs);
  const interrupted = (): void => {
    endAll();
    process.exit(130);
  };
  process.once("SIGINT", interrupted);
  try {
    const output = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    const exitCode = await child.exited;
    endAll();
    const result = isLate ? "timed out" : exitCode === 0 ? "passed" : "failed";
    return { result, output: (await output).join("") };
  } finally {
    clearTimeout(timer);
    process.removeListener("SIGINT", interrupted);
  }
}
