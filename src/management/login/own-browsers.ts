/**
 * Bounds on a person's browsers among their devices: at most ten, none unused for 30 days. Applied when
 * another is registered.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { BROWSER_OS } from "../../wire/terminal-page.ts";
import type { EpochSeconds } from "../../wire/units.ts";
import type { ChangeWriter } from "../db/store.ts";
import { revokeLoginsOf } from "../db/tables/logins.ts";
import { deletePeer, type PeerRow } from "../db/tables/peers.ts";

export const BROWSERS_MAX = 10;
const UNUSED_SECONDS_MAX = 30 * 86_400;

/** The browsers to delete to make room for one more, out of all devices of one person. */
export function browsersToRetire(devices: readonly PeerRow[], now: EpochSeconds): readonly PeerRow[] {
  const browsers = devices
    .filter(({ facts }) => facts.os === BROWSER_OS)
    .sort((a, b) => (b.lastSeenAt ?? 0) - (a.lastSeenAt ?? 0));
  const isUnused = ({ lastSeenAt }: PeerRow) => (lastSeenAt ?? 0) < now - UNUSED_SECONDS_MAX;
  return browsers.filter((one, index) => isUnused(one) || index >= BROWSERS_MAX - 1);
}

/** Deletes them, with an event for each. */
export async function retireBrowsers(tx: ChangeWriter, devices: readonly PeerRow[]): Promise<void> {
  for (const peer of browsersToRetire(devices, nowSeconds(tx.clock))) {
    await revokeLoginsOf(tx, { devicePeerId: peer.id });
    await deletePeer(tx, peer);
    tx.record({
      activity: "peer.delete",
      targetId: peer.id,
      meta: { name: peer.dnsName, ip: peer.address, why: "unused" },
    });
  }
}
