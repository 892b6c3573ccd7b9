/**
 * File access lists on Windows, through its own icacls and whoami.
 *
 * Our folders are private to their user and inherit nothing. The output of icacls is parsed strictly; a
 * folder whose output does not parse counts as open.
 *
 * @module
 */
import { win32 } from "node:path";
import type { Ownership } from "./unix-ownership.ts";

/** Runs a system program and returns its output. Null when it failed. */
export type RunTool = (argv: readonly string[]) => string | null;

/** Time limit for one such program. */
const TOOL_TIMEOUT_MS = 10_000;
/** These principals can read everything anyway. The names are those of an English Windows. */
const SYSTEM_PRINCIPALS = ["nt authority\\system", "builtin\\administrators"];

/** `run` defaults to the system's programs, called by full path. */
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
 * All principals that icacls lists for `path`, in lower case. The first line begins with the path; further
 * entries follow below. Empty when the output does not parse.
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

/** Full path, never the search path, which may begin with another user's folder. */
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
