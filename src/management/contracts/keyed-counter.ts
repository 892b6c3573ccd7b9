/**
 * Counters of what is open, in total and per key.
 *
 * @module
 */
import { boundsOf, sourceNetworks } from "../../base/source-key.ts";

/** Counts what is open, in total and per key: a source address or a peer. */
export interface KeyedCounter {
  isFull(key: string): boolean;
  enter(key: string): void;
  leave(key: string): void;
  readonly total: number;
}

/** At most `totalMax` in total and `perKeyMax` per key. It only counts: call `isFull` before `enter`. */
export function createKeyedCounter(totalMax: number, perKeyMax: number): KeyedCounter {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    get total() {
      return total;
    },
    isFull: (key) => total >= totalMax || (counts.get(key) ?? 0) >= perKeyMax,
    enter(key) {
      total += 1;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    leave(key) {
      total -= 1;
      const left = (counts.get(key) ?? 1) - 1;
      if (left === 0) counts.delete(key);
      else counts.set(key, left);
    },
  };
}

/**
 * The same for addresses: `perSourceMax` for each IPv4 address and IPv6 /64, and wider bounds for the /56 and
 * /48 around it.
 */
export function createSourceCounter(totalMax: number, perSourceMax: number): KeyedCounter {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    get total() {
      return total;
    },
    isFull(address) {
      const networks = sourceNetworks(address);
      const bounds = boundsOf(networks, perSourceMax);
      return total >= totalMax || networks.some((one, i) => (counts.get(one) ?? 0) >= (bounds[i] ?? 0));
    },
    enter(address) {
      total += 1;
      for (const one of sourceNetworks(address)) counts.set(one, (counts.get(one) ?? 0) + 1);
    },
    leave(address) {
      total -= 1;
      for (const one of sourceNetworks(address)) {
        const left = (counts.get(one) ?? 1) - 1;
        if (left === 0) counts.delete(one);
        else counts.set(one, left);
      }
    },
  };
}
