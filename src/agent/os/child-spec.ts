/**
 * The specification that the agent gives its privileged child: JSON on a pipe, never argv, never environment.
 *
 * Both ends are this executable, so the reader checks the form and nothing more. Kept free of zod: the
 * child's start is on the path of every session.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";

/** Hidden arguments after the executable's own. */
export const CHILD_ARGV = ["agent", "child"] as const;
/** Where the child finds its spec. */
export const SPEC_FD = 3;
/** Exit status when the child could not become what it was told to. */
export const CHILD_FAILED_STATUS = 254;
/** Longest spec: a command of 128 kB, an environment of as much, 65,536 groups, and what JSON adds. */
export const SPEC_BYTES_MAX = 2 * 1024 * 1024;

export interface ChildSpec {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** Change ids. False without root: then the ids above must be the child's already. */
  readonly drop: boolean;
  /** Make stdin the controlling terminal. */
  readonly tty: boolean;
  /** Working directory after the drop; `/` with a notice when it cannot be entered. */
  readonly home: string;
  /** Absolute path. */
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /**
   * Instead of executing `file`: be this user's forward helper (forward-helper-child.ts). Absent: execute.
   */
  readonly isForwardHelper?: boolean;
  /**
   * Instead of executing `file`: serve SFTP on stdin and stdout, so far, with a stderr that goes both ways
   * (sftp/sftp-audit-writer.ts). Absent: execute.
   */
  readonly sftp?: "write" | "read";
  /**
   * Instead of executing `file`: be a session's monitor (monitor-child.ts), with the ids it has. Absent:
   * execute.
   */
  readonly isMonitor?: boolean;
  /** Supplementary groups. Absent: those of the account database. */
  readonly groups?: readonly number[];
  /** Absent: 022. */
  readonly umask?: number;
  /** Resource, soft and hard limit, as PAM wants them. Absent: those of the agent. */
  readonly limits?: readonly (readonly [number, string, string])[];
  /** Shown before the program begins, unless the user has a `~/.hushlogin`. Absent or empty: nothing. */
  readonly greeting?: string;
}

/** How a process ended. */
export interface Exit {
  /** Null when a signal ended it. */
  readonly status: number | null;
  /** `SIGTERM` and the like. */
  readonly signal: string | null;
}

/** Throws an `AssertionError` for anything but a spec: it comes from ourselves. */
export function parseChildSpec(text: string): ChildSpec {
  const spec = JSON.parse(text) as ChildSpec;
  const isId = (id: unknown): boolean => Number.isInteger(id) && (id as number) >= 0;
  assert(typeof spec.user === "string" && spec.user !== "", "a spec names its user");
  assert(isId(spec.uid) && isId(spec.gid), "a spec has ids");
  assert(spec.sftp === undefined || spec.sftp === "write" || spec.sftp === "read", "sftp has a mode");
  assert(typeof spec.drop === "boolean" && typeof spec.tty === "boolean", "a spec says how");
  assert(spec.file.startsWith("/") && spec.home.startsWith("/"), "paths of a spec are absolute");
  assert(
    spec.argv.every((word) => typeof word === "string"),
    "argv is text",
  );
  assert(
    Object.values(spec.env).every((value) => typeof value === "string"),
    "an environment is text",
  );
  return spec;
}
