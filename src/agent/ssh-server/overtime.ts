/**
 * Limits on how long a connection, or something in it, may last or be silent. Pure.
 *
 * @module
 */
import type { SshCapabilities } from "../../wire/policy.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Limits } from "../contracts/limits.ts";

/** Moments in milliseconds of one monotonic clock. */
export interface Times {
  /** When it began. */
  readonly sinceMs: number;
  /** Of the whole connection. */
  readonly lastActivityMs: number;
  readonly nowMs: number;
}

/** Why it is over by the machine's limits or those of a rule; the shorter one counts. Null: it is not. */
export function denialOfOvertime(
  { sinceMs, lastActivityMs, nowMs }: Times,
  { idleMs, connectionMs }: Pick<Limits, "idleMs" | "connectionMs">,
  { max_session_seconds, idle_timeout_seconds }: SshCapabilities,
): ReasonCode | null {
  if (isOver(nowMs - sinceMs, connectionMs, max_session_seconds)) return "session_time_over";
  return isOver(nowMs - lastActivityMs, idleMs, idle_timeout_seconds) ? "session_idle" : null;
}

/** A limit that is null or undefined is none. */
function isOver(elapsedMs: number, limitMs: number | null, limitSeconds: number | undefined): boolean {
  if (limitMs !== null && elapsedMs >= limitMs) return true;
  return limitSeconds !== undefined && elapsedMs >= limitSeconds * 1000;
}
