/**
 * Stopping of one part of an agent, so that the parts after it are stopped whatever happens.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";

/** Runs `step`, and logs a failure of it. Never rejects. */
export async function stopPart(log: Log, part: string, step: () => unknown): Promise<void> {
  try {
    await step();
  } catch (cause) {
    log.error("a part of the agent did not stop well", { part }, cause);
  }
}
