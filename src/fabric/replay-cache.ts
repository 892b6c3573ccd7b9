/**
 * A cache of nonces, each kept as long as its message's time would still be accepted. It is pure except for
 * its memory.
 *
 * It is bounded in total and per source, so that no source can push out others' nonces. When it is full, a
 * new nonce is refused; an old one is never forgotten early.
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
  /** All entries, for a process that takes over. */
  entries(): { readonly source: string; readonly nonce: string; readonly untilSeconds: number }[];
  /** Number of nonces held, including those that expired since the last sweep. */
  readonly size: number;
}

export function createReplayCache(options: ReplayCacheOptions = {}): ReplayCache {
  const entriesMax = options.entriesMax ?? 131_072;
  const perSourceMax = options.perSourceMax ?? 32_768;
  const untilBySource = new Map<string, Map<string, number>>();
  let size = 0;
  let sweptAtSeconds = 0;
  /** The latest expiry among forgotten nonces. */
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
      // A sweep visits every entry, so at most one a second; a clock set back forgets nothing early.
      if (nowSeconds > sweptAtSeconds + 1 || nowSeconds < sweptAtSeconds - 1) sweep(nowSeconds);
      // After a clock was set back, a forgotten nonce could be replayed.
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
