/**
 * Audit events in the form of a management that is older than this agent, under the same numbers: a
 * management that does not understand one event of a batch takes none of it, and a number left out would be a
 * gap.
 *
 * @module
 */
import type { AgentEvent, AgentEventBody } from "../../wire/audit-event.ts";

const DETAIL_CHARACTERS_MAX = 512;

/** `events` as a management takes them that knows event version `version` (wire/version.ts). */
export function eventsOfVersion(version: number, events: readonly AgentEvent[]): AgentEvent[] {
  return version >= 2 ? [...events] : events.map((event) => ({ ...event, body: bodyOfVersion1(event.body) }));
}

function bodyOfVersion1(body: AgentEventBody): AgentEventBody {
  if (body.type === "forward.open") {
    const { forwardId: _, ...rest } = body;
    return rest;
  }
  if (body.type !== "forward.close") return body;
  const { connectionId, kind, destination, reason, bytesIn, bytesOut, durationMs } = body;
  const facts = `${bytesIn} bytes in, ${bytesOut} bytes out, ${durationMs} ms, ${reason ?? "ended"}`;
  const detail = `forward.close of ${connectionId}: ${facts}, ${kind} ${destination}`;
  return { type: "agent.state", what: "spool_dropped", detail: detail.slice(0, DETAIL_CHARACTERS_MAX) };
}
