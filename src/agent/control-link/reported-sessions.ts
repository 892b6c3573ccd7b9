/**
 * Live sessions for a report to management, cut to what one message may hold. Users decide how many sessions
 * there are and what they forward, and must not be able to break the control link with that.
 *
 * @module
 */
import { AGENT_MESSAGE_BYTES_MAX } from "../../wire/agent-parts.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";

const SESSIONS_MAX = 10_000;
/** Space for the rest of the message. */
const ROOM_BYTES = 1024;
/** Bounds all forwards together, since changes may be reported each second. */
const FORWARDS_BYTES_MAX = 512 * 1024;
/** A UTF-16 unit beyond ASCII is sent as a six-byte escape. */
const ESCAPED_BYTES = 6;

/** The first of `sessions` that fit. Their forwards are added as far as there is room left. */
export function reportedSessions(sessions: readonly LiveSession[]): LiveSession[] {
  const told: LiveSession[] = [];
  let left = AGENT_MESSAGE_BYTES_MAX - ROOM_BYTES;
  for (const session of sessions.slice(0, SESSIONS_MAX)) {
    left -= bytesOf({ ...session, forwards: [] });
    if (left < 0) return told;
    told.push({ ...session, forwards: [] });
  }
  left = Math.min(left, FORWARDS_BYTES_MAX);
  for (const [i, session] of sessions.slice(0, told.length).entries()) {
    const bytes = bytesOf(session.forwards);
    if (bytes > left) continue;
    left -= bytes;
    told[i] = session;
  }
  return told;
}

/** Bytes in the message, including the comma. */
function bytesOf(value: unknown): number {
  const json = JSON.stringify(value);
  let bytes = json.length + 1;
  for (let at = 0; at < json.length; at++) if (json.charCodeAt(at) > 0x7f) bytes += ESCAPED_BYTES - 1;
  return bytes;
}
