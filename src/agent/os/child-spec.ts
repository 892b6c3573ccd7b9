/**
 * The specification that the agent gives its privileged child: JSON on a pipe, never in argv or the
 * environment.
 *
 * Both ends are this executable, so the reader checks only the form. There is no zod here, because the
 * child's start is part of starting every session.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";

/** Hidden arguments after the executable's own. */
export const CHILD_ARGV = ["agent", "child"] as const;
/** Descriptor from which the child reads its spec. */
export const SPEC_FD = 3;
/** Exit status of a child that could not take on the identity in its spec. */
export const CHILD_FAILED_STATUS = 254;
/** Longest spec: a 128 kB command, an environment of that size, 65,536 groups, and JSON overhead. */
export const SPEC_BYTES_MAX = 2 * 1024 * 1024;

export interface ChildSpec {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** Whether to change ids. False without root: the child must already have the ids above. */
  readonly drop: boolean;
  /** Whether to make stdin the controlling terminal. */
  readonly tty: boolean;
  /** Working directory after dropping privileges. `/` with a notice if it cannot be entered. */
  readonly home: string;
  /** Absolute path. */
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Run this user's forward helper (forward-helper-child.ts) instead of `file`. Absent: no. */
  readonly isForwardHelper?: boolean;
  /**
   * Serve SFTP in this mode on stdin and stdout instead of executing `file`. Stderr goes both ways
   * (sftp/sftp-audit-writer.ts). Absent: no.
   */
  readonly sftp?: "write" | "read";
  /** Run a session's monitor (monitor-child.ts) with the present ids instead of `file`. Absent: no. */
  readonly isMonitor?: boolean;
  /** Supplementary groups. Absent: those in the account database. */
  readonly groups?: readonly number[];
  /** Absent: 022. */
  readonly umask?: number;
  /** Resource, soft and hard limit, as PAM set them. Absent: the agent's limits. */
  readonly limits?: readonly (readonly [number, string, string])[];
  /** Shown before the program begins, unless the user has a `~/.hushlogin`. Absent or empty: nothing. */
  readonly greeting?: string;
}

/** How a process ended. */
export interface Exit {
  /** Null when a signal ended it. */
  readonly status: number | null;
  /** Signal name, such as `SIGTERM`. */
  readonly signal: string | null;
}

/** Parses a spec. Throws an `AssertionError` for anything else, since the agent itself wrote it. */
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
