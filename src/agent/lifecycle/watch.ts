/**
 * Watch over what changes on a machine by itself: its map grows stale, and its addresses change.
 *
 * @module
 */

/** How often it is looked. */
const WATCH_MS = 1_000;
/** Addresses are looked at each so many times. */
const ADDRESSES_EVERY = 30;

export interface WatchOptions {
  /** How stale the map is, as a number that changes when that matters. */
  staleness(): number;
  addresses(): readonly string[];
  onStaleness(): void;
  onAddresses(): void;
}

/** Looks until it is told to stop. */
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
