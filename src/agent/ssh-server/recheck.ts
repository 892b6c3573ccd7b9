/**
 * Rechecks whether what runs under permits may continue. Pure.
 *
 * Each use is decided again. It continues only if one rule by itself allows it to begin, to run the way it
 * does, and to last this long. Rules are never combined.
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

/** The first reason to end the connection. Null: everything may continue. */
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

/** Identical uses are checked once, from the earliest start: one destination may have hundreds of streams. */
function usesOf(running: Iterable<Running>): Iterable<ActiveUse> {
  const uses = new Map<unknown, ActiveUse>();
  for (const { hasEnded, wanted, sinceMs } of running) {
    if (hasEnded) continue;
    const key = wanted.refuse === undefined ? JSON.stringify(wanted.action) : wanted;
    // `running` is in order of start, so the first entry is the earliest.
    if (!uses.has(key)) uses.set(key, { ...wanted, sinceMs });
    if (wanted.also !== undefined) uses.set(wanted.also, { action: wanted.also, sinceMs });
  }
  return uses.values();
}
