/**
 * Limits on unproven sources: connections per source and in total, and a pause for sources that keep failing.
 * An IPv6 source's /56 and /48 are counted too. Memory is bounded: when the table is full, the oldest entry
 * without connections is dropped.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { boundsOf, sourceNetworks } from "../base/source-key.ts";

export interface SourceLimitOptions {
  /** Unproven connections of one source at once. Default 512: a burst from behind one address is ordinary. */
  readonly perSourceMax?: number;
  /** Unproven connections of all sources at once. Default 2048. */
  readonly totalMax?: number;
  /** Failures of one source within the window before a pause. Default 100. */
  readonly failuresMax?: number;
  /** Length of the window and of the pause in milliseconds. Default 10000. */
  readonly windowMs?: number;
  /** Sources remembered. Default 65536. */
  readonly sourcesMax?: number;
}

export interface SourceLimits {
  /** Counts a new connection of `address`. False: close it at once. */
  enter(address: string): boolean;
  /**
   * Ends the count of a connection. A proven one clears its source's failures, since a source may be shared.
   */
  leave(address: string, isProven: boolean): void;
}

interface Source {
  open: number;
  failures: number;
  windowUntilMs: number;
}

export function createSourceLimits(clock: Clock, options: SourceLimitOptions = {}): SourceLimits {
  const perSourceMax = options.perSourceMax ?? 512;
  const totalMax = options.totalMax ?? 2048;
  const failuresMax = options.failuresMax ?? 100;
  const windowMs = options.windowMs ?? 10_000;
  const sourcesMax = options.sourcesMax ?? 65_536;
  const sources = new Map<string, Source>();
  let open = 0;

  function makeRoom(): void {
    for (const [key, source] of sources) {
      if (sources.size < sourcesMax) return;
      if (source.open === 0) sources.delete(key);
    }
  }

  function sourceOf(network: string, nowMs: number): Source {
    const known = sources.get(network);
    if (known !== undefined) return known;
    if (sources.size >= sourcesMax) makeRoom();
    const source = { open: 0, failures: 0, windowUntilMs: nowMs + windowMs };
    sources.set(network, source);
    return source;
  }

  return {
    enter(address) {
      const networks = sourceNetworks(address);
      const opens = boundsOf(networks, perSourceMax);
      const failures = boundsOf(networks, failuresMax);
      const nowMs = clock.monotonicMs();
      const all = networks.map((network) => sourceOf(network, nowMs));
      for (const source of all) if (nowMs >= source.windowUntilMs) source.failures = 0;
      const isFull = all.some(
        (source, i) => source.failures >= (failures[i] ?? 0) || source.open >= (opens[i] ?? 0),
      );
      if (isFull || open >= totalMax) return false;
      for (const source of all) source.open += 1;
      open += 1;
      return true;
    },
    leave(address, isProven) {
      const networks = sourceNetworks(address);
      const bounds = boundsOf(networks, failuresMax);
      open -= 1;
      networks.forEach((network, i) => {
        const source = sources.get(network);
        if (source === undefined) return;
        source.open -= 1;
        if (isProven) source.failures = 0;
        else countFailure(source, bounds[i] ?? failuresMax, clock.monotonicMs() + windowMs);
        if (source.open === 0 && source.failures === 0) sources.delete(network);
      });
    },
  };
}

/** The window begins with the first failure, the pause with the last one allowed. */
function countFailure(source: Source, bound: number, windowUntilMs: number): void {
  source.failures += 1;
  if (source.failures === 1 || source.failures === bound) source.windowUntilMs = windowUntilMs;
}
