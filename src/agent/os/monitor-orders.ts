/**
 * Messages between the agent and a session's monitor: JSON lines on the monitor's stdin and stdout. The three
 * standard descriptors of a session precede its order, over a socket of their own.
 *
 * @module
 */
import type { ChildSpec } from "./child-spec.ts";
import type { Exit } from "./spawn.ts";

/** Where the monitor finds its descriptor socket: after its spec. */
export const MONITOR_SOCKET_FD = 4;

export type MonitorOrder =
  /** May the account be used now? Once, before a session. */
  | { readonly kind: "account"; readonly user: string; readonly remoteHost: string }
  | { readonly kind: "session"; readonly session: SessionOrder }
  /** The child is held: it may have its spec. */
  | { readonly kind: "go" };

export interface SessionOrder {
  readonly spec: ChildSpec;
  readonly remoteHost: string;
  /** Path of the terminal, which is put into utmp(5). Null: none, and no record. */
  readonly terminal: string | null;
  /** Somebody reads what is shown: the message of the day and the like. */
  readonly isInteractive: boolean;
}

export type MonitorAnswer =
  /** A code of PAM's and what its modules said. */
  | { readonly kind: "account"; readonly code: number; readonly text: string }
  | { readonly kind: "started"; readonly pid: number }
  | { readonly kind: "exited"; readonly exit: Exit }
  /** PAM wants no session, or it could not be made. */
  | { readonly kind: "refused"; readonly message: string; readonly text: string };
