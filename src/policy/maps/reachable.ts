/**
 * The machines that some rule opens for a device, over a whole account. Used only for lists of names: a
 * machine decides each connection itself, from its own map.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import type { PeerId } from "../../wire/units.ts";
import { coversPort } from "../decide/snapshot.ts";
import { type AccountIndex, countedGroups } from "./compile.ts";

/**
 * Ids of peers whose SSH port some enabled accept rule opens to the device. Ignores drops, schedules and
 * posture.
 */
export function openedFor(
  index: AccountIndex,
  rules: Iterable<MapRule>,
  devicePeerId: PeerId,
): ReadonlySet<PeerId> {
  const found = new Set<PeerId>();
  const device = index.peersById.get(devicePeerId);
  if (device === undefined || device.status !== "active") return found;
  const groups = countedGroups(device, index.usersById);
  for (const rule of rules) {
    if (!rule.enabled || rule.action !== "accept" || !coversPort(rule, 22)) continue;
    const isSource =
      rule.sourcePeerId === null
        ? rule.sources.some((group) => groups.has(group))
        : rule.sourcePeerId === device.id;
    if (!isSource) continue;
    if (rule.destinationPeerId !== null) found.add(rule.destinationPeerId);
    for (const group of rule.destinationPeerId === null ? rule.destinations : []) {
      for (const peer of index.peersByGroup.get(group) ?? []) found.add(peer.id);
    }
  }
  return found;
}
