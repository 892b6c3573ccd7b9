/**
 * Time limits of a connection and of what runs in it: total and idle. Pure.
 *
 * @module
 */
import type { SshCapabilities } from "../../wire/policy.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Limits } from "../contracts/limits.ts";

/** In milliseconds of one monotonic clock. */
export interface Times {
  /** When the connection or use began. */
  readonly sinceMs: number;
  /** Last activity of the whole connection. */
  readonly lastActivityMs: number;
  readonly nowMs: number;
}

/** The limit that was exceeded: the machine's or the rule's, whichever is shorter. Null: none. */
export function denialOfOvertime(
  { sinceMs, lastActivityMs, nowMs }: Times,
  { idleMs, connectionMs }: Pick<Limits, "idleMs" | "connectionMs">,
  { max_session_seconds, idle_timeout_seconds }: SshCapabilities,
): ReasonCode | null {
  if (isOver(nowMs - sinceMs, connectionMs, max_session_seconds)) return "session_time_over";
  return isOver(nowMs - lastActivityMs, idleMs, idle_timeout_seconds) ? "session_idle" : null;
}

/** Null and undefined mean no limit. */
function isOver(elapsedMs: number, limitMs: number | null, limitSeconds: number | undefined): boolean {
  if (limitMs !== null && elapsedMs >= limitMs) return true;
  return limitSeconds !== undefined && elapsedMs >= limitSeconds * 1000;
}
