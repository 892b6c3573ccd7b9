/** The protocol version between processes. It grows with each change that an older process cannot handle. */
export const PROTOCOL_VERSION = 1;

/**
 * The version of `AgentEventBody` (wire/audit-event.ts), and its history:
 *
 * 1 (2026-11): the first.
 *
 * 2 (2027-01): `forward.close`; `forward.open` with `forwardId`.
 *
 * 3 (2027-02): `agent.state` of `log_differs`.
 *
 * 4 (2027-03): `recording.start`, `recording.chunks`, `recording.unechoed`, `recording.end`.
 *
 * Management says in `welcome` which version it takes. An agent writes its own version to disk and sends an
 * older management what that understands, under the same numbers (agent/control-link/event-version.ts).
 */
export const EVENT_VERSION = 4;
