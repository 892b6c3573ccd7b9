/**
 * The server's clock, for what is signed here: management and machines refuse what is a minute off, and the
 * clocks of people's computers often are.
 *
 * @module
 */

/** Less than that is the way of an answer, and its whole seconds. */
const OFF_MS = 5_000;

export class ServerClock {
  #offMs = 0;

  /** `date`: of an answer's header. */
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
