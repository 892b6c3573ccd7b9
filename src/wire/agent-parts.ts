/**
 * Splits an agent's messages into parts. WebSocket messages are kept small so that a stranger's unfinished
 * one costs management little; a batch of audit events may be larger and is sent in several.
 *
 * A part that begins with "+" is continued by the next WebSocket message; the last or only part does not.
 * No JSON begins with "+", so a message of one part is sent as it is.
 *
 * @module
 */

/** Largest WebSocket message from an agent, in bytes. */
export const AGENT_PART_BYTES_MAX = 128 * 1024;
/** Largest message from an agent once its parts are joined, in bytes. */
export const AGENT_MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

const MORE = "+";

/** Splits a JSON message into parts of at most `AGENT_PART_BYTES_MAX` bytes, in sending order. */
export function splitAgentMessage(json: string): string[] {
  if (Buffer.byteLength(json) <= AGENT_PART_BYTES_MAX) return [json];
  // ASCII can be cut anywhere. Other characters occur only in strings, where an escape means the same.
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

/** Joins the parts received on one link. */
export interface AgentParts {
  /**
   * The JSON message once it is complete. Null: more parts follow. Undefined: the part or message is too
   * large.
   */
  take(part: string): string | null | undefined;
}

/**
 * The receiving end of one link. It holds the parts of an incomplete message, up to
 * `AGENT_MESSAGE_BYTES_MAX`.
 */
export function createAgentParts(): AgentParts {
  let held: string[] = [];
  let heldBytes = 0;
  return {
    take(part) {
      const goesOn = part.startsWith(MORE);
      const bytes = Buffer.byteLength(part);
      if (bytes > AGENT_PART_BYTES_MAX || heldBytes + bytes > AGENT_MESSAGE_BYTES_MAX) {
        held = [];
        heldBytes = 0;
        return undefined;
      }
      if (!goesOn && held.length === 0) return part;
      heldBytes += bytes;
      held.push(goesOn ? part.slice(MORE.length) : part);
      if (goesOn) return null;
      const whole = held.join("");
      held = [];
      heldBytes = 0;
      return whole;
    },
  };
}
