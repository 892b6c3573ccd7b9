/**
 * The command that starts this very program again: the built executable, or Bun with our main file when run
 * from source.
 *
 * @module
 */
import { readlinkSync } from "node:fs";

/** Whether this is the built executable. False when run from source, as tests do. */
export function isCompiled(): boolean {
  return Bun.main.startsWith("/$bunfs/");
}

/**
 * The file of this very build, also after another has taken its place at the path: what only understands its
 * own build is started from it.
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

/** The first words of the command, to which a subcommand is appended. The first is an absolute path. */
export function ownCommand(): [string, ...string[]] {
  if (isCompiled()) return [process.execPath];
  return [process.execPath, Bun.fileURLToPath(new URL("../main.ts", import.meta.url))];
}
