/**
 * Watches what changes without an event: the age of the map, and the machine's addresses.
 *
 * @module
 */

/** How often it checks. */
const WATCH_MS = 1_000;
/** Addresses are checked once in this many checks. */
const ADDRESSES_EVERY = 30;

export interface WatchOptions {
  /** Staleness of the map, as a number that changes when it matters. */
  staleness(): number;
  addresses(): readonly string[];
  onStaleness(): void;
  onAddresses(): void;
}

/** Checks until it is stopped. */
export function watchMachine(options: WatchOptions): { stop(): void } {
  let wasStale = options.staleness();
  let addresses = JSON.stringify(options.addresses());
  let beats = 0;
  const timer = setInterval(() => {
    const isStale = options.staleness();
    if (isStale !== wasStale) options.onStaleness();
    wasStale = isStale;
    beats += 1;
    if (beats % ADDRESSES_EVERY !== 0) return;
    const found = JSON.stringify(options.addresses());
    if (found !== addresses) options.onAddresses();
    addresses = found;
  }, WATCH_MS);
  return { stop: () => clearInterval(timer) };
}
