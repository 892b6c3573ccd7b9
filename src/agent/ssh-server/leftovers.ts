/**
 * Programs that outlive their connection, tracked until they end or the agent stops. Either way their end is
 * stored.
 *
 * @module
 */
import type { ReasonCode } from "../../wire/reason.ts";
import type { PermitContext } from "./permission.ts";

type Context = Pick<PermitContext, "running">;

/** How long a stop waits for programs just ended to report their exit. */
const SETTLE_MS = 1_000;
const POLL_MS = 10;

export class Leftovers {
  readonly #contexts = new Set<Context>();

  get isEmpty(): boolean {
    return this.#contexts.size === 0;
  }

  /** Tracks what still runs from a closed connection. */
  add(context: Context): void {
    if (context.running.size > 0) this.#contexts.add(context);
  }

  /** Forgets connections whose programs have all ended. Call it regularly. */
  prune(): void {
    for (const context of this.#contexts) if (context.running.size === 0) this.#contexts.delete(context);
  }

  /**
   * Waits briefly for ends, then stores an end for what still runs, because the agent will not learn of it.
   */
  async settle(reason: ReasonCode, timeoutMs = SETTLE_MS): Promise<void> {
    for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += POLL_MS) {
      this.prune();
      if (this.#contexts.size === 0) return;
      await Bun.sleep(POLL_MS);
    }
    const left = [...this.#contexts].flatMap(({ running }) => [...running]);
    await Promise.all(left.map((running) => running.abandon(reason)));
  }
}
