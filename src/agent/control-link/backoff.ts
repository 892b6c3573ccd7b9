/** Shortest and longest wait before the next attempt, in milliseconds. */
const WAIT_MS_MIN = 200;
const WAIT_MS_MAX = 30_000;

/**
 * Milliseconds to wait before retry number `attempt`, counted from 0: exponential backoff with full jitter,
 * 200 ms to 30 s, so that many agents do not retry in step. `random` is in [0, 1).
 */
export function backoffMs(attempt: number, random: number): number {
  const cap = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(attempt + 1, 16));
  return Math.round(WAIT_MS_MIN + random * (cap - WAIT_MS_MIN));
}

/**
 * Milliseconds to wait before the first retry after a good link. As `backoffMs`, but spread over the time
 * that management has asked for, so that agents that are cut off together do not all return at once.
 */
export function firstWaitMs(spreadMs: number, random: number): number {
  return Math.max(backoffMs(0, random), Math.round(WAIT_MS_MIN + random * spreadMs));
}
