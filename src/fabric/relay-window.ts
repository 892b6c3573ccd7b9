/**
 * The window of a relayed stream: how many unread bytes its reader will buffer. Credit is topped up to it.
 *
 * No I/O and no clock; the time is an argument.
 *
 * @module
 */
import { RELAY_CREDIT_BULK, RELAY_CREDIT_INITIAL, RELAY_CREDIT_MAX } from "../wire/relay.ts";

/** The window holds the bytes read in this time. */
const WINDOW_MS = 200;
/** The reading rate is measured over at least this time. */
const PACE_MS = 20;

export class RelayWindow {
  #bytesPerMs = 0;
  #pacedAtMs = 0;
  #pacedAtBytes = 0;

  /**
   * The window in bytes after `readBytes` of the stream have been read. It is RELAY_CREDIT_INITIAL until that
   * many were read, then the amount read in WINDOW_MS: at least RELAY_CREDIT_BULK, at most `mostBytes` and
   * RELAY_CREDIT_MAX. So a fast or distant reader stays busy, and a slow one leaves little data in the relay.
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
