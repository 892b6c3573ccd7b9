/**
 * How many bytes the reader of a relayed stream is ready to hold: the window its credit is topped up to.
 *
 * No I/O and no clock; the caller says what time it is.
 *
 * @module
 */
import { RELAY_CREDIT_BULK, RELAY_CREDIT_INITIAL, RELAY_CREDIT_MAX } from "../wire/relay.ts";

/** The window holds what is read in this time, measured over PACE_MS. */
const WINDOW_MS = 200;
const PACE_MS = 20;

export class RelayWindow {
  #bytesPerMs = 0;
  #pacedAtMs = 0;
  #pacedAtBytes = 0;

  /**
   * Bytes, once `readBytes` of the stream are read. Small until it carries much; then as much as is read in
   * WINDOW_MS, so that a far or fast reader is kept busy and a slow one leaves little to wait in the relay,
   * but RELAY_CREDIT_BULK at least and `mostBytes` at most.
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
