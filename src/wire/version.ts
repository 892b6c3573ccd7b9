/**
 * The version of everything two processes say to each other, and its history.
 *
 * 1 (2026-11): hello, enrolment, sync, client API, certificates.
 *
 * An agent refuses a policy from management that speaks a higher version: an unknown restriction
 * must not become a grant.
 *
 * @module
 */
export const PROTOCOL_VERSION = 1;

/**
 * The version of `AgentEventBody` (wire/audit-event.ts), and its history:
 *
 * 1 (2026-11): the first.
 *
 * 2 (2027-01): `forward.close`; `forward.open` with `forwardId`.
 *
 * Management says in `welcome` which version it takes. An agent writes its own version to disk and sends an
 * older management what that understands, under the same numbers (agent/control-link/event-version.ts).
 */
export const EVENT_VERSION = 2;
