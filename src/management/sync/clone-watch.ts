/**
 * Detects copied state folders. A restarted agent has a new boot id, and the old one never comes back. If one
 * does, two agents use the same device key. Pure but for its memory.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { PeerId } from "../../wire/units.ts";

/** How long a superseded boot id is remembered, and after how long without one the next is reported again. */
const WINDOW_MS = 600_000;
/** Peers remembered; beyond that, the oldest are dropped. */
const PEERS_MAX = 100_000;
const BOOTS_MAX = 8;

export interface CloneWatch {
  /**
   * Notes that the peer's link with `oldBootId` was replaced by one with `bootId`. True if that boot id was
   * itself replaced within the window, so two agents use one key. Reported once for as long as they keep
   * alternating.
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
