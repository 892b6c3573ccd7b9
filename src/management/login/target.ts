/**
 * The machine that a request names, and what its sender may know of it.
 *
 * @module
 */

import { isIP } from "node:net";
import { formatHostPort, parseHostPort } from "../../fabric/host-port.ts";
import { type MachineFlags, machineFlagsOf } from "../../policy/decide/request.ts";
import type { AgentFlags } from "../../wire/agent-sync.ts";
import type { TargetInfo } from "../../wire/client-api.ts";
import { Id, OverlayAddress, type PeerId, type Port } from "../../wire/units.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { AccountRow } from "../db/tables/accounts.ts";
import { findPeer, findPeerByAddress, findPeerByDnsName, type PeerRow } from "../db/tables/peers.ts";
import type { LoginDeps } from "./deps.ts";

/** Finds a machine by id, name, full name or overlay address, in lower case. Never a device. */
export async function findTarget(
  tx: Reader,
  account: Pick<AccountRow, "id" | "domain">,
  typed: string,
): Promise<PeerRow | undefined> {
  const suffix = `.${account.domain}`;
  const label = typed.endsWith(suffix) ? typed.slice(0, -suffix.length) : typed;
  const found = OverlayAddress.safeParse(typed).success
    ? await findPeerByAddress(tx, account.id, typed)
    : ((await findPeerByDnsName(tx, account.id, label)) ??
      (Id.safeParse(typed).success ? await findPeer(tx, account.id, typed) : undefined));
  return found?.kind === "machine" ? found : undefined;
}

/**
 * Why a machine that the rules open to this device admits no one. Null: it is active, does not exist, or no
 * rule opens it, so nothing may be said of it.
 */
export async function inactiveReason(
  { ctx }: Pick<LoginDeps, "ctx">,
  target: PeerRow | undefined,
  devicePeerId: PeerId,
): Promise<"machine_blocked" | "machine_pending" | null> {
  if (target === undefined || target.status === "active") return null;
  const opened = await ctx.maps.openedFor(target.accountId, devicePeerId);
  if (!opened.has(target.id)) return null;
  return target.status === "blocked" ? "machine_blocked" : "machine_pending";
}

/** Where and how to reach the machine, as currently known. */
export function targetInfo(
  peer: PeerRow,
  account: Pick<AccountRow, "domain">,
  connected: boolean,
  relayPort?: Port,
): TargetInfo {
  return {
    peerId: peer.id,
    name: `${peer.dnsName}.${account.domain}`,
    address: peer.address,
    hostKeys: [...peer.hostKeys],
    direct: withSeen(peer).slice(0, DIRECT_MAX),
    connected,
    sshServer: peer.flags?.sshServer ?? true,
    machineIdentity: peer.flags?.sshAuth === false,
    nameConfirmed: peer.nameConfirmed,
    via: peer.flags?.via === true,
    ...(relayPort === undefined ? {} : { relayPort }),
  };
}

/** Most addresses of one machine. */
const DIRECT_MAX = 32;
/** Ports tried at the address that a machine connects from. */
const SEEN_PORTS_MAX = 2;

/**
 * Addresses that a machine cannot know itself: the one it connects to us from, at the ports of its own
 * addresses. A router in front of it may forward them; if none does, no hello is answered. Empty for a
 * machine that listens only on loopback, or not on that address family.
 */
export function seenAddresses({ direct, connectionIp }: Pick<PeerRow, "direct" | "connectionIp">): string[] {
  const seen = connectionIp.replace(/^::ffff:(?=\d+\.)/i, "");
  const family = isIP(seen);
  const own = direct.map(parseHostPort).filter(({ host }) => isIP(host) === family && !isLoopback(host));
  if (family === 0 || isLoopback(seen) || own.some(({ host }) => host === seen)) return [];
  const ports = [...new Set(own.map(({ port }) => port))].slice(0, SEEN_PORTS_MAX);
  return ports.map((port) => formatHostPort(seen, port));
}

/** Loopback addresses come last. */
function withSeen(peer: PeerRow): string[] {
  const isLocal = (address: string) => isLoopback(parseHostPort(address).host);
  const near = peer.direct.filter(isLocal);
  return [...peer.direct.filter((address) => !isLocal(address)), ...seenAddresses(peer), ...near];
}

function isLoopback(host: string): boolean {
  return host === "::1" || host.startsWith("127.");
}

/**
 * The flags that the machine reported. One that has never reported is assumed to allow everything, and
 * decides itself.
 */
export function reportedFlags(flags: AgentFlags | null): MachineFlags {
  // The machine itself knows whether it can record.
  const recording = true;
  if (flags !== null) return machineFlagsOf(flags, { ...flags, recording });
  return {
    sshServer: true,
    sshRoot: true,
    sshSftp: true,
    sshLocalForwarding: true,
    sshRemoteForwarding: true,
    privileged: true,
    ownUser: "",
    recording,
  };
}
