/**
 * An estimate of the server's clock for signed messages. Management and machines refuse those that are a
 * minute off, and users' clocks often are.
 *
 * @module
 */

/** Differences below this come from latency and whole seconds in the header. */
const OFF_MS = 5_000;

export class ServerClock {
  #offMs = 0;

  /** Takes the `Date` header of an answer. */
  heard(date: string | null, nowMs: number): void {
    const serverMs = Date.parse(date ?? "");
    if (Number.isNaN(serverMs)) return;
    this.#offMs = Math.abs(serverMs - nowMs) < OFF_MS ? 0 : serverMs - nowMs;
  }

  seconds(nowMs: number): number {
    return Math.floor((nowMs + this.#offMs) / 1_000);
  }
}

export const serverClock = new ServerClock();
