/**
 * Programs that go on after their connection has closed, until they end or the agent stops. The end of each
 * is stored in either case.
 *
 * @module
 */
import type { ReasonCode } from "../../wire/reason.ts";
import type { PermitContext } from "./permission.ts";

type Context = Pick<PermitContext, "running">;

/** Longest that a stop waits for what has just been ended to say how. */
const SETTLE_MS = 1_000;
const POLL_MS = 10;

export class Leftovers {
  readonly #contexts = new Set<Context>();

  get isEmpty(): boolean {
    return this.#contexts.size === 0;
  }

  /** Takes in what runs of a connection that has closed. */
  add(context: Context): void {
    if (context.running.size > 0) this.#contexts.add(context);
  }

  /** Forgets connections of which nothing runs any more. To be called now and then. */
  prune(): void {
    for (const context of this.#contexts) if (context.running.size === 0) this.#contexts.delete(context);
  }

  /** Waits a moment for ends, and stores an end for what goes on: the agent will not hear of it any more. */
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
