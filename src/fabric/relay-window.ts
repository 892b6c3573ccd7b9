/**
 * The window of a relayed stream: the bytes that its reader is ready to hold unread. Credit is topped up to
 * it.
 *
 * No I/O and no clock: the time is an argument.
 *
 * @module
 */
import { RELAY_CREDIT_BULK, RELAY_CREDIT_INITIAL, RELAY_CREDIT_MAX } from "../wire/relay.ts";

/** The window holds the bytes that are read in this time. */
const WINDOW_MS = 200;
/** The reader's pace is measured over at least this time. */
const PACE_MS = 20;

export class RelayWindow {
  #bytesPerMs = 0;
  #pacedAtMs = 0;
  #pacedAtBytes = 0;

  /**
   * The window in bytes, when `readBytes` of the stream have been read. RELAY_CREDIT_INITIAL until so many
   * were; then what is read in WINDOW_MS, so that a fast or distant reader is kept busy and a slow one leaves
   * little waiting in the relay: at least RELAY_CREDIT_BULK, but never more than `mostBytes` or
   * RELAY_CREDIT_MAX.
   */
  bytes(readBytes: number, nowMs: number, mostBytes: number): number {
    if (readBytes < RELAY_CREDIT_INITIAL) return RELAY_CREDIT_INITIAL;
    const elapsedMs = nowMs - this.#pacedAtMs;
    if (elapsedMs >= PACE_MS) {
      this.#bytesPerMs = (readBytes - this.#pacedAtBytes) / elapsedMs;
      this.#pacedAtMs = nowMs;
      this.#pacedAtBytes = readBytes;
    }
    const wanted = Math.max(RELAY_CREDIT_BULK, Math.floor(this.#bytesPerMs * WINDOW_MS));
    return Math.max(RELAY_CREDIT_INITIAL, Math.min(wanted, mostBytes, RELAY_CREDIT_MAX));
  }
}
