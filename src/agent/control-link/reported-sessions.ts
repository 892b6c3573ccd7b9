/**
 * Live sessions as management is told of them: as many as one message may hold. Who is let in decides how
 * many there are and what they carry, and must not be able to end the control link by that.
 *
 * @module
 */
import { AGENT_MESSAGE_BYTES_MAX } from "../../wire/agent-parts.ts";
import type { LiveSession } from "../../wire/agent-sync.ts";

const SESSIONS_MAX = 10_000;
/** What else the message holds. */
const ROOM_BYTES = 1024;
/** Of all that is forwarded: what changes may be told each second. */
const FORWARDS_BYTES_MAX = 512 * 1024;
/** A character beyond ASCII goes as six. */
const ESCAPED_BYTES = 6;

/**
 * The first of `sessions`: what is forwarded is told as far as there is room, the sessions themselves before
 * it.
 */
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

/** In the message, its comma included. */
function bytesOf(value: unknown): number {
  const json = JSON.stringify(value);
  let bytes = json.length + 1;
  for (let at = 0; at < json.length; at++) if (json.charCodeAt(at) > 0x7f) bytes += ESCAPED_BYTES - 1;
  return bytes;
}
