/**
 * The compiled `qf` for tests that run real processes: built when a source is newer, once at a time.
 *
 * @module
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemClock } from "../../src/base/clock.ts";

const ROOT = resolve(import.meta.dir, "../..");
/** A lock older than this was left by a test run that was killed. */
const LOCK_MS_MAX = 120_000;

let known: Promise<string> | undefined;

/** Path of an executable that is not older than any source. `QF_EXECUTABLE` names another one to test. */
export function executablePath(): Promise<string> {
  known ??= process.env.QF_EXECUTABLE ? Promise.resolve(process.env.QF_EXECUTABLE) : build();
  return known;
}

async function build(): Promise<string> {
  const path = join(ROOT, "dist/qf");
  const lock = join(ROOT, "dist/.building");
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  while (!takeLock(lock)) await Bun.sleep(100);
  try {
    if (!isStale(path)) return path;
    const fresh = join(ROOT, `dist/.qf-${process.pid}`);
    const result = Bun.spawnSync([process.execPath, "build.ts"], {
      cwd: ROOT,
      env: { ...process.env, QF_OUTFILE: fresh },
      stdout: "pipe",
      stderr: "pipe",
    });
    if (result.exitCode !== 0) throw new Error(`build.ts failed:\n${result.stdout}${result.stderr}`);
    renameSync(fresh, path);
    return path;
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** Takes the lock, or sweeps away one that was left behind. False: somebody else builds. */
function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && systemClock.nowMs() - since > LOCK_MS_MAX) {
      rmSync(lock, { recursive: true, force: true });
    }
    return false;
  }
}

function isStale(path: string): boolean {
  const built = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined) return true;
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  const files = [
    ...sources.map((name) => join("src", name)),
    "build.ts",
    "install.sh",
    "package.json",
    "bun.lock",
  ];
  return files.some((name) => (statSync(join(ROOT, name), { throwIfNoEntry: false })?.mtimeMs ?? 0) > built);
}
