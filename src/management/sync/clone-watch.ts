/**
 * Tells a copied state folder from a restart: an agent that restarts has a new boot id, and the old one
 * never comes back. When one does, two agents use the same device key. Pure but for its memory.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { PeerId } from "../../wire/units.ts";

/** How long a superseded boot id is remembered, and how long none is seen before one is news again. */
const WINDOW_MS = 600_000;
/** Peers remembered; above it the oldest go. */
const PEERS_MAX = 100_000;
const BOOTS_MAX = 8;

export interface CloneWatch {
  /**
   * The peer's link with `oldBootId` was replaced by one with `bootId`. True when that boot id was replaced
   * itself within the window: two agents use one key. Said once for as long as they go on taking turns.
   */
  superseded(peerId: PeerId, oldBootId: string, bootId: string): boolean;
}

interface Seen {
  readonly boots: Map<string, number>;
  /** When a boot id last came back. Null: never. */
  seenAtMs: number | null;
}

export function createCloneWatch(clock: Clock): CloneWatch {
  const peers = new Map<PeerId, Seen>();
  return {
    superseded(peerId, oldBootId, bootId) {
      const nowMs = clock.monotonicMs();
      const seen = peers.get(peerId) ?? { boots: new Map<string, number>(), seenAtMs: null };
      const wasThereAtMs = seen.boots.get(bootId);
      seen.boots.set(oldBootId, nowMs);
      const [oldestBoot] = seen.boots.keys();
      if (seen.boots.size > BOOTS_MAX && oldestBoot !== undefined) seen.boots.delete(oldestBoot);
      peers.delete(peerId);
      peers.set(peerId, seen);
      const [oldest] = peers.keys();
      if (peers.size > PEERS_MAX && oldest !== undefined) peers.delete(oldest);
      if (wasThereAtMs === undefined || nowMs - wasThereAtMs > WINDOW_MS) return false;
      const isNews = seen.seenAtMs === null || nowMs - seen.seenAtMs > WINDOW_MS;
      seen.seenAtMs = nowMs;
      return isNews;
    },
  };
}
