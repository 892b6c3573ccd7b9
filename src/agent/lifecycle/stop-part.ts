/**
 * Stops one part of an agent, so that a failure does not keep the next parts from being stopped.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";

/** Runs `step` and logs its failure. Never rejects. */
export async function stopPart(log: Log, part: string, step: () => unknown): Promise<void> {
  try {
    await step();
  } catch (cause) {
    log.error("a part of the agent did not stop well", { part }, cause);
  }
}
