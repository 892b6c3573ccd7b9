/**
 * The command that starts this program again: the built executable, or Bun with our main file when run from
 * source.
 *
 * @module
 */
import { readlinkSync } from "node:fs";

/** Where the files of a built executable appear to be: Bun's names for it on Unix and on Windows. */
const BUILT_IN = /^(?:\/\$bunfs|[A-Z]:[\\/]~BUN)[\\/]/;

/** Whether this is the built executable. False when run from source, as tests do. */
export function isCompiled(main: string = Bun.main): boolean {
  return BUILT_IN.test(main);
}

/**
 * The executable file of this build, even after an upgrade has replaced it at its path. Children that only
 * work with their own build are started from it.
 */
export function ownImage(): string {
  if (process.platform !== "linux" || !isCompiled()) return process.execPath;
  try {
    if (readlinkSync("/proc/self/exe") === process.execPath) return process.execPath;
  } catch {
    return process.execPath;
  }
  return `/proc/${process.pid}/exe`;
}

/** The start of the command line, to which a subcommand is appended. The first is an absolute path. */
export function ownCommand(): [string, ...string[]] {
  if (isCompiled()) return [process.execPath];
  return [process.execPath, Bun.fileURLToPath(new URL("../main.ts", import.meta.url))];
}
