/** How many are there, in total and from each address. */
export interface Headcount {
  isFull(address: string): boolean;
  enter(address: string): void;
  leave(address: string): void;
  readonly total: number;
}

/** Counts up to `totalMax` in all and `perAddressMax` from one address; the caller asks `isFull` first. */
export function createHeadcount(totalMax: number, perAddressMax: number): Headcount {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    get total() {
      return total;
    },
    isFull: (address) => total >= totalMax || (counts.get(address) ?? 0) >= perAddressMax,
    enter(address) {
      total += 1;
      counts.set(address, (counts.get(address) ?? 0) + 1);
    },
    leave(address) {
      total -= 1;
      const left = (counts.get(address) ?? 1) - 1;
      if (left === 0) counts.delete(address);
      else counts.set(address, left);
    },
  };
}
