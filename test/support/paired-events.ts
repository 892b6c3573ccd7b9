/** Audit events in pairs: which starts have no end. */
import type { AgentEventBody } from "../../src/wire/audit-event.ts";

/** What names a start and its end alike; null for an event that is neither. */
function pairOf(event: AgentEventBody): { readonly key: string; readonly isStart: boolean } | null {
  switch (event.type) {
    case "connection.open":
    case "connection.close":
      return { key: event.connectionId, isStart: event.type === "connection.open" };
    case "session.start":
    case "session.end":
      return {
        key: `${event.connectionId} session ${event.sessionId}`,
        isStart: event.type === "session.start",
      };
    case "forward.open":
    case "forward.close":
      return {
        key: `${event.connectionId} forward ${event.forwardId}`,
        isStart: event.type === "forward.open",
      };
    default:
      return null;
  }
}

/**
 * Starts of `events` without an end, or with more than one. An end whose start is not among them is no
 * matter.
 */
export function unpaired(events: readonly AgentEventBody[]): string[] {
  const pairs = events.map(pairOf).filter((pair) => pair !== null);
  return pairs
    .filter(({ isStart }) => isStart)
    .map(({ key }) => key)
    .filter((key) => pairs.filter((pair) => pair.key === key && !pair.isStart).length !== 1);
}
