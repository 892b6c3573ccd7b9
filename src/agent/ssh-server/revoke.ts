/**
 * The one way in which the machine ends what runs: because of policy, time, an administrator's order, a map
 * that is too old, or its own stop. A connection ends whole: its processes, its sockets, and its transport.
 *
 * Whatever runs is decided about again, and goes on only under one rule that by itself lets it begin, be as
 * it is, and last as long as it has. Other rules do not help.
 *
 * @module
 */
import { denialLine } from "../../policy/sentences.ts";
import type { SshCapabilities } from "../../wire/policy.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import { denialOfOvertime } from "./overtime.ts";
import type { Revocable, RevocableContext, Running, Use } from "./permission.ts";

/** Longest wait for the processes of an ended connection to be gone. */
const KILL_TIMEOUT_MS = 800;

/** Decides about everything that runs, and ends the connection at the first denial. */
export function recheck(connection: Revocable): void {
  const { permits, state, lastActivityMs } = connection;
  if (permits === null || state.isOver) return;
  const reason = findRevocation(permits, { nowMs: permits.nowMs(), lastActivityMs });
  if (reason !== null) void revoke(connection, reason);
}

/**
 * Ends a connection whole; the person is told `text`, and `reason` is recorded. Resolves when nothing is
 * left. Called twice, the first counts.
 */
export function revoke(
  connection: Revocable,
  reason: ReasonCode,
  text = denialLine(reason, null),
): Promise<void> {
  if (connection.state.take("end", reason)) connection.revoked = end(connection, `Access revoked: ${text}`);
  return connection.revoked ?? connection.closed;
}

async function end(connection: Revocable, text: string): Promise<void> {
  connection.sayLast(text);
  // Before the processes are killed: the forward helper removes the sockets that it made.
  await connection.closeForwards();
  const isGone = await connection.containment.killAll(KILL_TIMEOUT_MS);
  if (!isGone)
    connection.log.error("processes of an ended connection are left", { connectionId: connection.id });
  await connection.closed;
}

/** The first reason against what runs. Null: all of it may go on. */
export function findRevocation(
  context: RevocableContext,
  moment: { readonly nowMs: number; readonly lastActivityMs: number },
): ReasonCode | null {
  const limits = context.limits();
  for (const { action, sinceMs, refuse } of usesOf(context.running)) {
    const answer = context.authorize(action);
    if (answer.kind === "deny") return answer.reason;
    const against = (capabilities: SshCapabilities): ReasonCode | null =>
      refuse?.(capabilities) ?? denialOfOvertime({ ...moment, sinceMs }, limits, capabilities);
    const reason = against(answer.grant.capabilities);
    if (reason === null) continue;
    const rules = context.rules();
    const others = answer.record.trace.flatMap(({ ruleId, outcome }) =>
      outcome === "granted" ? (rules[ruleId]?.capabilities ?? []) : [],
    );
    if (others.every((capabilities) => against(capabilities) !== null)) return reason;
  }
  return null;
}

interface UseSince extends Use {
  readonly sinceMs: number;
}

/** The same once, since the first of it: there may be hundreds of streams to one destination. */
function usesOf(running: Iterable<Running>): Iterable<UseSince> {
  const uses = new Map<unknown, UseSince>();
  for (const { hasEnded, wanted, sinceMs } of running) {
    if (hasEnded) continue;
    const key = wanted.refuse === undefined ? JSON.stringify(wanted.action) : wanted;
    const earlier = uses.get(key)?.sinceMs ?? Number.POSITIVE_INFINITY;
    if (sinceMs < earlier) uses.set(key, { ...wanted, sinceMs });
    if (wanted.also !== undefined) uses.set(wanted.also, { action: wanted.also, sinceMs });
  }
  return uses.values();
}
