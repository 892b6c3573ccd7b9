/**
 * The repeated decision about a connection that is open. Each use of it is decided again, and may go on only
 * under one rule that by itself lets it begin, be as it is, and last as long as it has. Other rules do not
 * help.
 *
 * @module
 */
import type { Action } from "../../wire/decision.ts";
import type { SshCapabilities } from "../../wire/policy.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { Limits } from "../contracts/limits.ts";
import { type Authorization, type AuthorizeContext, authorize, type Subject } from "./authorize.ts";
import { denialOfOvertime } from "./overtime.ts";

/** Something that a connection does. */
export interface ActiveUse {
  readonly action: Action;
  /** Since when, by the monotonic clock. */
  readonly sinceMs: number;
  /** Why a rule that allows `action` is not enough for how it is done. Null: it is. Absent: any is. */
  refuse?(capabilities: SshCapabilities): ReasonCode | null;
}

/** Times by the monotonic clock, and the machine's own limits. */
export interface Moment {
  readonly nowMs: number;
  readonly lastActivityMs: number;
  readonly limits: Pick<Limits, "idleMs" | "connectionMs">;
}

/** The first reason against `uses`. Null: all go on. */
export function findRevocation(
  serverContext: AuthorizeContext,
  subject: Subject,
  uses: readonly ActiveUse[],
  moment: Moment,
): ReasonCode | null {
  const { limits, ...now } = moment;
  for (const use of uses) {
    const times = { ...now, sinceMs: use.sinceMs };
    const authorization = authorize(serverContext, subject, use.action);
    if (authorization.kind === "deny") return authorization.reason;
    const refuse = (capabilities: SshCapabilities): ReasonCode | null =>
      use.refuse?.(capabilities) ?? denialOfOvertime(times, limits, capabilities);
    const reason = refuse(authorization.grant.capabilities);
    if (reason !== null && allowing(serverContext, authorization).every((other) => refuse(other) !== null))
      return reason;
  }
  return null;
}

/** What each rule that allows it lets people do. */
function allowing(serverContext: AuthorizeContext, { record }: Authorization): SshCapabilities[] {
  const rules = serverContext.snapshot()?.map.rules ?? {};
  return record.trace.flatMap(({ ruleId, outcome }) =>
    outcome === "granted" ? (rules[ruleId]?.capabilities ?? []) : [],
  );
}
