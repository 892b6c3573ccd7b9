/**
 * Messages of an agent in parts: what one WebSocket message may hold is bounded by what the relay's frames
 * need, since one port serves both, and a batch of evidence may be larger.
 *
 * A part that begins with "+" goes on in the next message; the last, or only, one is plain JSON or its end.
 * JSON begins with none, so a message in one part is sent as it is.
 *
 * @module
 */

/** Largest WebSocket message from an agent. */
export const AGENT_PART_BYTES_MAX = 128 * 1024;
/** Largest message from an agent, put together. */
export const AGENT_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

const MORE = "+";

/** The parts of a message in JSON, in the order in which they are sent. */
export function splitAgentMessage(json: string): string[] {
  if (Buffer.byteLength(json) <= AGENT_PART_BYTES_MAX) return [json];
  // As ASCII it may be cut anywhere; all but ASCII stands in strings, where an escape means the same.
  const ascii = json.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const parts: string[] = [];
  const length = AGENT_PART_BYTES_MAX - MORE.length;
  for (let at = 0; at < ascii.length; at += length) {
    const isLast = at + length >= ascii.length;
    parts.push(`${isLast ? "" : MORE}${ascii.slice(at, at + length)}`);
  }
  return parts;
}

export interface AgentParts {
  /** The message in JSON once it is whole; null: more is to come; undefined: it is too large. */
  take(part: string): string | null | undefined;
}

export function createAgentParts(): AgentParts {
  let held: string[] = [];
  let heldBytes = 0;
  return {
    take(part) {
      const goesOn = part.startsWith(MORE);
      if (!goesOn && held.length === 0) return part;
      heldBytes += part.length;
      if (heldBytes > AGENT_MESSAGE_BYTES_MAX) {
        held = [];
        return undefined;
      }
      held.push(goesOn ? part.slice(MORE.length) : part);
      if (goesOn) return null;
      const whole = held.join("");
      held = [];
      heldBytes = 0;
      return whole;
    },
  };
}
