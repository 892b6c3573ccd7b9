/**
 * Cache of compiled maps until they change: all watched ones, and the most recently used others.
 *
 * @module
 */
import type { NetworkMap } from "../../wire/network-map.ts";
import type { PeerId } from "../../wire/units.ts";

/** Most cached maps of unwatched peers. */
const LOOSE_MAX = 1_000;

export interface MapCache {
  get(peerId: PeerId): NetworkMap | undefined;
  /** Caches `map` and returns it. If one of the same epoch and version is cached already, returns that. */
  put(peerId: PeerId, map: NetworkMap): NetworkMap;
  delete(peerId: PeerId): void;
  clear(): void;
  /** Keeps the peer's map until `unpin`. */
  pin(peerId: PeerId): void;
  unpin(peerId: PeerId): void;
}

/** `onDrop` is called for each map that is evicted for lack of space. */
export function createMapCache(onDrop: (peerId: PeerId) => void): MapCache {
  const maps = new Map<PeerId, NetworkMap>();
  const pinned = new Set<PeerId>();
  /** Oldest first. */
  const loose = new Set<PeerId>();
  const loosen = (peerId: PeerId): void => {
    loose.delete(peerId);
    loose.add(peerId);
    const [oldest] = loose;
    if (loose.size <= LOOSE_MAX || oldest === undefined) return;
    loose.delete(oldest);
    maps.delete(oldest);
    onDrop(oldest);
  };
  return {
    get: (peerId) => maps.get(peerId),
    put(peerId, map) {
      const entry = maps.get(peerId);
      if (entry !== undefined && entry.epoch === map.epoch && entry.version === map.version) return entry;
      maps.set(peerId, map);
      if (!pinned.has(peerId)) loosen(peerId);
      return map;
    },
    delete(peerId) {
      maps.delete(peerId);
      loose.delete(peerId);
    },
    clear() {
      maps.clear();
      loose.clear();
    },
    pin(peerId) {
      pinned.add(peerId);
      loose.delete(peerId);
    },
    unpin(peerId) {
      if (pinned.delete(peerId) && maps.has(peerId)) loosen(peerId);
    },
  };
}
