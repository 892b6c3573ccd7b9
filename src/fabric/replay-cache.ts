/**
 * A cache of nonces, each held for as long as the time beside it would still be taken. Pure but for its
 * memory.
 *
 * Bounded twice, since whoever may fill it could otherwise push others' nonces out: when it is full,
 * a new nonce is refused, never an old one forgotten early.
 *
 * @module
 */

export interface ReplayCacheOptions {
  /** Most nonces in all. Default 131072, about 20 MB. */
  readonly entriesMax?: number;
  /** Most nonces of one source. Default 32768: over 250 connections a second for two minutes. */
  readonly perSourceMax?: number;
}

export type ReplayAnswer = "fresh" | "replayed" | "full";

export interface ReplayCache {
  /** Takes `nonce` of `source`, to be remembered until `untilSeconds` (inclusive). */
  take(source: string, nonce: string, untilSeconds: number, nowSeconds: number): ReplayAnswer;
  /** All that is remembered, for a process that takes over. */
  entries(): { readonly source: string; readonly nonce: string; readonly untilSeconds: number }[];
  /** Nonces remembered now, expired ones of the last sweep included. */
  readonly size: number;
}

export function createReplayCache(options: ReplayCacheOptions = {}): ReplayCache {
  const entriesMax = options.entriesMax ?? 131_072;
  const perSourceMax = options.perSourceMax ?? 32_768;
  const untilBySource = new Map<string, Map<string, number>>();
  let size = 0;
  let sweptAtSeconds = 0;
  /** The latest time up to which a nonce was to be remembered that is not any more. */
  let forgottenSeconds = 0;

  function sweep(nowSeconds: number): void {
    sweptAtSeconds = nowSeconds;
    for (const [source, nonces] of untilBySource) {
      for (const [nonce, untilSeconds] of nonces) {
        if (untilSeconds >= nowSeconds) continue;
        nonces.delete(nonce);
        size -= 1;
        forgottenSeconds = Math.max(forgottenSeconds, untilSeconds);
      }
      if (nonces.size === 0) untilBySource.delete(source);
    }
  }

  return {
    take(source, nonce, untilSeconds, nowSeconds) {
      // A sweep looks at everything, so at most one a second; a clock set back sweeps nothing early.
      if (nowSeconds > sweptAtSeconds + 1 || nowSeconds < sweptAtSeconds - 1) sweep(nowSeconds);
      // After a clock was set back, what has been forgotten could come again.
      if (untilSeconds <= forgottenSeconds) return "replayed";
      const nonces = untilBySource.get(source);
      if (nonces?.has(nonce) === true) return "replayed";
      if (size >= entriesMax || (nonces?.size ?? 0) >= perSourceMax) return "full";
      if (nonces === undefined) untilBySource.set(source, new Map([[nonce, untilSeconds]]));
      else nonces.set(nonce, untilSeconds);
      size += 1;
      return "fresh";
    },
    entries: () =>
      [...untilBySource].flatMap(([source, nonces]) =>
        [...nonces].map(([nonce, untilSeconds]) => ({ source, nonce, untilSeconds })),
      ),
    get size() {
      return size;
    },
  };
}
