/**
 * Whether a connection has lasted, or been silent, for too long. Pure.
 *
 * @module
 */
import type { SshCapabilities } from "../../wire/policy.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Limits } from "./limits.ts";

/** Moments of a connection, in milliseconds of one monotonic clock. */
export interface ConnectionTimes {
  readonly admittedMs: number;
  readonly lastActivityMs: number;
  readonly nowMs: number;
}

/** Why a connection is over by the machine's limits or its present grant's; the shorter one counts. Null: it is not. */
export function refuseOvertime(
  { admittedMs, lastActivityMs, nowMs }: ConnectionTimes,
  { idleMs, connectionMs }: Pick<Limits, "idleMs" | "connectionMs">,
  { max_session_seconds, idle_timeout_seconds }: SshCapabilities,
): ReasonCode | null {
  if (isOver(nowMs - admittedMs, connectionMs, max_session_seconds)) return "session_time_over";
  return isOver(nowMs - lastActivityMs, idleMs, idle_timeout_seconds) ? "session_idle" : null;
}

/** A limit that is null or undefined is none. */
function isOver(elapsedMs: number, limitMs: number | null, limitSeconds: number | undefined): boolean {
  if (limitMs !== null && elapsedMs >= limitMs) return true;
  return limitSeconds !== undefined && elapsedMs >= limitSeconds * 1000;
}
