/** Counter of what is open, in total and under each key (an address, IPv6 by /64; a peer). */
export interface KeyedCounter {
  isFull(key: string): boolean;
  enter(key: string): void;
  leave(key: string): void;
  readonly total: number;
}

/**
 * Bounds: `totalMax` in all and `perKeyMax` under one key. Only counts: the caller asks `isFull` before
 * `enter`.
 */
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
