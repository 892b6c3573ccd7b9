/**
 * File access lists on Windows, through its own icacls and whoami.
 *
 * Our folders are private to their user and inherit nothing. Accounts are compared by SID, since their names
 * depend on the language of Windows. A list that does not parse counts as open.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, win32 } from "node:path";
import type { Ownership } from "./unix-ownership.ts";

/** Runs a system program and returns its output. Null when it failed. */
export type RunTool = (argv: readonly string[]) => string | null;

/** Time limit for one such program. */
const TOOL_TIMEOUT_MS = 10_000;
/** An access list has at most 64 kB, and its text a few times that. */
const SAVED_BYTES_MAX = 1_048_576;
/**
 * SYSTEM, Administrators and the built-in Administrator, as SIDs and as SDDL abbreviates them. They can read
 * everything anyway.
 */
const SYSTEM_PRINCIPALS = ["S-1-5-18", "SY", "S-1-5-32-544", "BA", "LA"];

/**
 * `run` defaults to the system's programs, called by full path; `temporary` to the folder for a file that is
 * needed for a moment.
 */
export function windowsOwnership(run: RunTool = runTool, temporary = temporaryFolder()): Ownership {
  let self: string | null | undefined;
  const ownSid = (): string | null => {
    self ??= sidOf(run([tool("whoami.exe"), "/user", "/fo", "csv", "/nh"]) ?? "");
    return self;
  };
  return {
    intruder(path) {
      const saved = savedList(run, path, temporary);
      const person = ownSid();
      if (saved === null || person === null) return "open";
      const principals = principalsOf(saved, path);
      if (principals.length === 0) return "open";
      return principals.every((sid) => sid === person || SYSTEM_PRINCIPALS.includes(sid)) ? null : "open";
    },
    closeToOthers(path) {
      const person = ownSid();
      const steps = [["/reset"], ["/inheritance:r", "/grant:r", `*${person}:(OI)(CI)F`]];
      return person !== null && steps.every((step) => run([tool("icacls.exe"), path, ...step]) !== null);
    },
    remedy(path) {
      const grant = '/inheritance:r /grant:r "%USERDOMAIN%\\%USERNAME%:(OI)(CI)F"';
      return `icacls "${path}" /reset && icacls "${path}" ${grant}`;
    },
  };
}

/** The last word of what `whoami /user` prints: `"desk\ada","S-1-5-21-…"`, or a table, as Wine has it. */
function sidOf(printed: string): string | null {
  return /[\s"](S-1-\d+(?:-\d+)+)"?\s*$/.exec(printed)?.[1] ?? null;
}

/** What `icacls /save` writes for `path`. Null when it fails. */
function savedList(run: RunTool, path: string, temporary: string): string | null {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(temporary, "qf-acl-"));
    const file = join(folder, "list");
    if (run([tool("icacls.exe"), path, "/save", file]) === null) return null;
    return statSync(file).size > SAVED_BYTES_MAX ? null : readFileSync(file, "utf16le");
  } catch {
    return null;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * All principals in a list that `icacls /save` wrote for `path`: its last name, and below it the access list
 * in SDDL. Empty when that does not parse, and when there is no list, which lets everybody in.
 */
export function principalsOf(saved: string, path: string): string[] {
  const [name, list, ...rest] = saved.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (name?.toLowerCase() !== win32.basename(path).toLowerCase() || rest.join("") !== "") return [];
  const [, entries] = /^D:(?:P|AR|AI)*((?:\([^()]*\))+)$/.exec(list ?? "") ?? [];
  const principals = entries?.slice(1, -1).split(")(").map(principalOf);
  return principals?.every((sid) => sid !== undefined) ? principals : [];
}

/** The account of `type;flags;rights;object;inherited object;account`. */
function principalOf(entry: string): string | undefined {
  return /^[A-Z]{1,2};[A-Z]*;\w*;;;([A-Z]{2}|S-1-\d+(?:-\d+)+)$/.exec(entry)?.[1];
}

/** Full path, never the search path, which may begin with another user's folder. */
function tool(name: string): string {
  return win32.join(systemFolder(), "System32", name);
}

function temporaryFolder(): string {
  return process.env.TEMP ?? process.env.TMP ?? win32.join(systemFolder(), "Temp");
}

function systemFolder(): string {
  return process.env.SystemRoot ?? "C:\\Windows";
}

function runTool(argv: readonly string[]): string | null {
  try {
    const { exitCode, stdout } = Bun.spawnSync([...argv], { stderr: "ignore", timeout: TOOL_TIMEOUT_MS });
    return exitCode === 0 ? stdout.toString() : null;
  } catch {
    return null;
  }
}
