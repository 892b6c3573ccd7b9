/**
 * The recheck of what runs under a permit: whether it may go on. Pure.
 *
 * Each use is decided about again, and goes on only under one rule that by itself lets it begin, be as it is,
 * and last as long as it has. Other rules do not help.
 *
 * @module
 */
import type { SshCapabilities } from "../../wire/policy.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { denialOfOvertime } from "./overtime.ts";
import type { RevocableContext, Running, Use } from "./permission.ts";

interface ActiveUse extends Use {
  /** By the monotonic clock. */
  readonly sinceMs: number;
}

/** The first reason against what runs. Null: all of it may go on. */
export function findRevocation(context: RevocableContext, lastActivityMs: number): ReasonCode | null {
  const [nowMs, limits, rules] = [context.nowMs(), context.limits(), context.rules()];
  for (const { action, sinceMs, refuse } of usesOf(context.running)) {
    const answer = context.authorize(action);
    if (answer.kind === "deny") return answer.reason;
    const against = (capabilities: SshCapabilities): ReasonCode | null =>
      refuse?.(capabilities) ?? denialOfOvertime({ sinceMs, lastActivityMs, nowMs }, limits, capabilities);
    const reason = against(answer.grant.capabilities);
    if (reason === null) continue;
    const others = answer.record.trace.flatMap(({ ruleId, outcome }) =>
      outcome === "granted" ? (rules[ruleId]?.capabilities ?? []) : [],
    );
    if (others.every((capabilities) => against(capabilities) !== null)) return reason;
  }
  return null;
}

/** The same once, since the first of it: there may be hundreds of streams to one destination. */
function usesOf(running: Iterable<Running>): Iterable<ActiveUse> {
  const uses = new Map<unknown, ActiveUse>();
  for (const { hasEnded, wanted, sinceMs } of running) {
    if (hasEnded) continue;
    const key = wanted.refuse === undefined ? JSON.stringify(wanted.action) : wanted;
    // What began first comes first.
    if (!uses.has(key)) uses.set(key, { ...wanted, sinceMs });
    if (wanted.also !== undefined) uses.set(wanted.also, { action: wanted.also, sinceMs });
  }
  return uses.values();
}
