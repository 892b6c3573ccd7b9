/**
 * Access lists of files, as Windows has them, by its own icacls and whoami.
 *
 * A folder of ours is for its person alone: nothing is inherited. What icacls prints is read strictly, and
 * what does not read counts as open.
 *
 * @module
 */
import { win32 } from "node:path";
import type { Ownership } from "./unix-ownership.ts";

/** Runs a program of the system and gives what it prints. Null: it failed. */
export type RunTool = (argv: readonly string[]) => string | null;

/** Longest wait for one of them. */
const TOOL_TIMEOUT_MS = 10_000;
/** Whoever these are may read everything anyway. Their names are of an English Windows. */
const SYSTEM_PRINCIPALS = ["nt authority\\system", "builtin\\administrators"];

/** `run` is the system's own by default, with programs by their full path. */
export function windowsOwnership(run: RunTool = runTool): Ownership {
  let self: string | null | undefined;
  const whoami = (): string | null => {
    self ??=
      run([tool("whoami.exe")])
        ?.trim()
        .toLowerCase() ?? null;
    return self;
  };
  return {
    intruder(path) {
      const listed = run([tool("icacls.exe"), path]);
      const person = whoami();
      if (listed === null || person === null) return "open";
      const principals = principalsOf(listed, path);
      if (principals.length === 0) return "open";
      return principals.every((name) => name === person || SYSTEM_PRINCIPALS.includes(name)) ? null : "open";
    },
    closeToOthers(path) {
      const person = whoami();
      const steps = [["/reset"], ["/inheritance:r", "/grant:r", `${person}:(OI)(CI)F`]];
      return person !== null && steps.every((step) => run([tool("icacls.exe"), path, ...step]) !== null);
    },
    remedy: (path) => `icacls "${path}" /inheritance:r /grant:r "%USERDOMAIN%\\%USERNAME%:(OI)(CI)F"`,
  };
}

/**
 * Everyone that icacls lists for `path`, in lower case: the first line begins with the path, each further
 * entry stands below. Empty: it does not read.
 */
export function principalsOf(listed: string, path: string): string[] {
  if (!listed.toLowerCase().startsWith(path.toLowerCase())) return [];
  const entries: string[] = [];
  for (const line of listed.slice(path.length).split(/\r?\n/)) {
    if (line.trim() === "") break;
    const [, name] = /^\s*(.+?):\(.+\)$/.exec(line.trimEnd()) ?? [];
    if (name === undefined) return [];
    entries.push(name.toLowerCase());
  }
  return entries;
}

/** Never by the search path, where anybody's folder may come first. */
function tool(name: string): string {
  return win32.join(process.env.SystemRoot ?? "C:\\Windows", "System32", name);
}

function runTool(argv: readonly string[]): string | null {
  try {
    const { exitCode, stdout } = Bun.spawnSync([...argv], { stderr: "ignore", timeout: TOOL_TIMEOUT_MS });
    return exitCode === 0 ? stdout.toString() : null;
  } catch {
    return null;
  }
}
