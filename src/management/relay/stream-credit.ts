/**
 * Accounting of one relayed stream: how much each end may still send, how much it has sent, and whether a
 * frame keeps to the rules of `wire/relay.ts`. No I/O; the relay forwards only what this permits.
 *
 * @module
 */
import { RELAY_CREDIT_INITIAL, RELAY_CREDIT_MAX, RELAY_FRAME, type RelayFrame } from "../../wire/relay.ts";

export type RelayEnd = "client" | "agent";

export interface StreamCredit {
  /** Bytes of data received from each end. */
  readonly bytes: Readonly<Record<RelayEnd, number>>;
  /** Both directions have ended, so nothing more will come. */
  readonly isOver: boolean;
  /** Accounts for a frame that `from` sent. False: the frame breaks the rules, and the stream must end. */
  take(from: RelayEnd, frame: RelayFrame): boolean;
}

interface Side {
  /** Bytes that this end may still send. */
  credit: number;
  bytes: number;
  hasEnded: boolean;
}

export function createStreamCredit(): StreamCredit {
  const sides: Record<RelayEnd, Side> = {
    client: { credit: RELAY_CREDIT_INITIAL, bytes: 0, hasEnded: false },
    agent: { credit: RELAY_CREDIT_INITIAL, bytes: 0, hasEnded: false },
  };
  return {
    get bytes() {
      return { client: sides.client.bytes, agent: sides.agent.bytes };
    },
    get isOver() {
      return sides.client.hasEnded && sides.agent.hasEnded;
    },
    take(from, { type, payload }) {
      const side = sides[from];
      const other = sides[from === "client" ? "agent" : "client"];
      if (type === RELAY_FRAME.data) {
        side.credit -= payload.length;
        side.bytes += payload.length;
        return side.credit >= 0 && !side.hasEnded;
      }
      if (type === RELAY_FRAME.credit) {
        const granted = payload.readUInt32BE(0);
        other.credit += granted;
        return granted > 0 && other.credit <= RELAY_CREDIT_MAX;
      }
      if (type === RELAY_FRAME.eof) {
        const isFirst = !side.hasEnded;
        side.hasEnded = true;
        return isFirst;
      }
      return false;
    },
  };
}
