/**
 * Translates audit events for a management server older than this agent. Sequence numbers stay the same:
 * management rejects a whole batch over one event that it does not understand, and a missing number would be
 * a gap.
 *
 * @module
 */
import type { AgentEvent, AgentEventBody } from "../../wire/audit-event.ts";

const DETAIL_CHARACTERS_MAX = 512;

/** `events` in a form that management of event version `version` (wire/version.ts) takes. */
export function eventsOfVersion(version: number, events: readonly AgentEvent[]): AgentEvent[] {
  if (version >= 4) return [...events];
  const bodyOf = BODY_OF[version] ?? bodyOfVersion1;
  return events.map((event) => ({ ...event, body: bodyOf(event.body) }));
}

const BODY_OF: Readonly<Record<number, (body: AgentEventBody) => AgentEventBody>> = {
  2: bodyOfVersion2,
  3: bodyOfVersion3,
};

function bodyOfVersion3(body: AgentEventBody): AgentEventBody {
  if (!body.type.startsWith("recording.")) return body;
  const detail = JSON.stringify(body).slice(0, DETAIL_CHARACTERS_MAX);
  return { type: "agent.state", what: "spool_dropped", detail };
}

function bodyOfVersion2(older: AgentEventBody): AgentEventBody {
  const body = bodyOfVersion3(older);
  if (body.type !== "agent.state" || body.what !== "log_differs") return body;
  return { ...body, what: "state_damaged" };
}

function bodyOfVersion1(body: AgentEventBody): AgentEventBody {
  if (body.type === "forward.open") {
    const { forwardId: _, ...rest } = body;
    return rest;
  }
  if (body.type !== "forward.close") return bodyOfVersion2(body);
  const { connectionId, kind, destination, reason, bytesIn, bytesOut, durationMs } = body;
  const facts = `${bytesIn} bytes in, ${bytesOut} bytes out, ${durationMs} ms, ${reason ?? "ended"}`;
  const detail = `forward.close of ${connectionId}: ${facts}, ${kind} ${destination}`;
  return { type: "agent.state", what: "spool_dropped", detail: detail.slice(0, DETAIL_CHARACTERS_MAX) };
}
