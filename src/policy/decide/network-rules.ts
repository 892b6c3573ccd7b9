/**
 * Decides whether a peer may reach a port of this machine, before the SSH parser sees a byte.
 *
 * It grants no OS user. 22 implies 22022, an SSH rule opens the path for its source devices, and a
 * bidirectional rule of another protocol works in both directions.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import type { EpochSeconds, PeerId, Port } from "../../wire/units.ts";
import { endsTime, isWithinSchedule, isWithinValidity } from "./schedule.ts";
import {
  coversPort,
  findPeer,
  isSshProtocol,
  markDevice,
  markOwn,
  meets,
  type PolicySnapshot,
} from "./snapshot.ts";

/** A stream to a port of this machine. */
export interface NetworkRequest {
  readonly sourcePeerId: PeerId;
  readonly port: Port;
  readonly nowSeconds: EpochSeconds;
  /** As in `AccessRequest`. */
  readonly endsAtSeconds?: EpochSeconds;
}

/** Null when some rule opens the path and no drop closes it, otherwise why not. */
export function denialOfNetwork(
  request: NetworkRequest,
  snapshot: PolicySnapshot,
): "device_unknown" | "device_blocked" | "device_pending" | "ssh_disabled" | "network_not_allowed" | null {
  const { map } = snapshot;
  const peer = findPeer(map, request.sourcePeerId);
  if (peer === undefined) return "device_unknown";
  if (peer.status !== "active") return peer.status === "blocked" ? "device_blocked" : "device_pending";
  if (!map.self.sshEnabled) return "ssh_disabled";
  const marks = markDevice(snapshot, peer, endsTime(request));
  const own = markOwn(snapshot, peer);
  let open = false;
  for (const rule of snapshot.rules) {
    if (!rule.enabled || !rule.isDestination || !coversPort(rule.rule, request.port)) continue;
    if (!isWithinValidity(rule.rule, request.nowSeconds)) continue;
    if (!isWithinSchedule(rule.rule.schedule, request.nowSeconds)) continue;
    const counted = rule.isReverse ? own : marks;
    const bySource =
      rule.rule.sourcePeerId === null ? meets(counted, rule.sources) : rule.rule.sourcePeerId === peer.id;
    if (!bySource || (rule.sourceDevices.length > 0 && !meets(own, rule.sourceDevices))) continue;
    if (rule.isDrop) {
      if (closesPath(rule.rule)) return "network_not_allowed";
      continue;
    }
    if (rule.rule.postureChecks.every((check) => peer.posturePassed.includes(check))) open = true;
  }
  return open ? null : "network_not_allowed";
}

/**
 * Whether a drop closes the path itself. An SSH drop that names people or OS users does not; `decide` applies
 * it.
 */
export function closesPath(rule: Pick<MapRule, "protocol" | "authorizedGroups">): boolean {
  return !isSshProtocol(rule) || Object.keys(rule.authorizedGroups).length === 0;
}
