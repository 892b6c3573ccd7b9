/**
 * Which machine somebody means, and what they may know of it.
 *
 * @module
 */

import type { MachineFlags } from "../../policy/request.ts";
import type { AgentFlags } from "../../wire/agent-sync.ts";
import type { TargetInfo } from "../../wire/client-api.ts";
import { Id, OverlayAddress } from "../../wire/units.ts";
import type { AccountRow } from "../db/accounts.ts";
import { findPeer, findPeerByAddress, findPeerByDnsName, type PeerRow } from "../db/peers.ts";
import type { Reader } from "../db/store.ts";

/** By id, name, full name or overlay address, lower case. Machines only. */
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

/** Where and how to reach it, as known now. */
export function targetInfo(
  peer: PeerRow,
  account: Pick<AccountRow, "domain">,
  connected: boolean,
): TargetInfo {
  return {
    peerId: peer.id,
    name: `${peer.dnsName}.${account.domain}`,
    address: peer.address,
    hostKeys: [...peer.hostKeys],
    direct: [...peer.direct],
    connected,
    sshServer: peer.flags?.sshServer ?? true,
    machineIdentity: peer.flags?.sshAuth === false,
    nameConfirmed: peer.nameConfirmed,
  };
}

/** What the machine said it allows. One that has never said anything is asked anyway and answers itself. */
export function machineFlagsOf(flags: AgentFlags | null): MachineFlags {
  if (flags === null) {
    return {
      sshServer: true,
      sshRoot: true,
      sshSftp: true,
      sshLocalForwarding: true,
      sshRemoteForwarding: true,
      privileged: true,
      ownUser: "",
      recording: true,
    };
  }
  const { sshServer, sshRoot, sshSftp, sshLocalForwarding, sshRemoteForwarding, privileged, ownUser } = flags;
  return {
    sshServer,
    sshRoot,
    sshSftp,
    sshLocalForwarding,
    sshRemoteForwarding,
    privileged,
    ownUser,
    // Whether it can record is asked where it would be recorded.
    recording: true,
  };
}
