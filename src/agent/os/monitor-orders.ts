/**
 * Messages between the agent and a session's monitor. The session helper hears them as frames
 * (helper-frames.ts), this executable in its place as lines of JSON (monitor-child.ts).
 *
 * With the order of a session come its three standard descriptors, and the one on which the child waits for
 * its spec. The agent writes that once the child is held.
 *
 * @module
 */
import type { Exit } from "./child-spec.ts";

/** Where a monitor of this executable finds its descriptor socket: after its spec. */
export const MONITOR_SOCKET_FD = 4;

export type MonitorOrder =
  /** May the account be used now? Once, before a session. */
  | { readonly kind: "account"; readonly service: string; readonly user: string; readonly remoteHost: string }
  | { readonly kind: "session"; readonly session: SessionOrder };

export interface SessionOrder {
  /** PAM's. */
  readonly service: string;
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly remoteHost: string;
  /** Path of the terminal, which is put into utmp(5). Null: none, and no record. */
  readonly terminal: string | null;
  /** PAM opens it. False: there is none here. */
  readonly hasModules: boolean;
  /** Nobody reads what modules would show. */
  readonly isSilent: boolean;
  /** What the child executes, with its spec waiting at SPEC_FD. Null: the helper's own child. */
  readonly command: {
    readonly words: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  } | null;
}

export type MonitorAnswer =
  /** A code of PAM's and what its modules said. */
  | { readonly kind: "account"; readonly code: number; readonly text: string }
  | StartedAnswer
  | { readonly kind: "exited"; readonly exit: Exit }
  /** PAM wants no session, or it could not be made. */
  | { readonly kind: "refused"; readonly message: string; readonly text: string };

/** The child waits for its spec; and what modules said, want in its environment, and have changed. */
export interface StartedAnswer {
  readonly kind: "started";
  readonly pid: number;
  readonly text: string;
  /** `NAME=value` each. */
  readonly words: readonly string[];
  readonly umask: number;
  readonly groups: readonly number[];
  /** Resource, soft and hard limit: those that changed. */
  readonly limits: readonly (readonly [number, string, string])[];
}
