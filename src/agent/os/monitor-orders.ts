/**
 * Messages between the agent and a session's monitor. The session helper receives frames (helper-frames.ts),
 * the monitor of this executable lines of JSON (monitor-child.ts).
 *
 * A session order comes with four descriptors: the child's three standard ones, and one from which it reads
 * its spec. The agent writes the spec once the child is contained.
 *
 * @module
 */
import type { Exit } from "./child-spec.ts";

/** Descriptor number of this executable's monitor for its descriptor socket, after the spec's. */
export const MONITOR_SOCKET_FD = 4;

export type MonitorOrder =
  /** Asks PAM whether the account may be used now. Sent once, before a session. */
  | { readonly kind: "account"; readonly service: string; readonly user: string; readonly remoteHost: string }
  | { readonly kind: "session"; readonly session: SessionOrder };

export interface SessionOrder {
  /** PAM service. */
  readonly service: string;
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly remoteHost: string;
  /** Path of the terminal for its utmp(5) record. Null: no terminal and no record. */
  readonly terminal: string | null;
  /** Whether PAM opens the session. False: the system has no PAM. */
  readonly hasModules: boolean;
  /** True: no person sees what modules print. */
  readonly isSilent: boolean;
  /** The command of the child, which reads its spec from SPEC_FD. Null: the helper's own child. */
  readonly command: {
    readonly words: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  } | null;
}

export type MonitorAnswer =
  /** A PAM code and what its modules said. */
  | { readonly kind: "account"; readonly code: number; readonly text: string }
  | StartedAnswer
  | { readonly kind: "exited"; readonly exit: Exit }
  /** PAM refused the session, or it could not be set up. */
  | { readonly kind: "refused"; readonly message: string; readonly text: string };

/** The child waits for its spec. Also what modules said, changed, and want in the environment. */
export interface StartedAnswer {
  readonly kind: "started";
  readonly pid: number;
  readonly text: string;
  /** `NAME=value` entries. */
  readonly words: readonly string[];
  readonly umask: number;
  readonly groups: readonly number[];
  /** Changed limits: resource, soft and hard limit. */
  readonly limits: readonly (readonly [number, string, string])[];
}
