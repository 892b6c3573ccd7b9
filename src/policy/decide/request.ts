/**
 * The request to decide. It holds only facts that the caller has verified.
 *
 * @module
 */

import type { Binding } from "../../wire/certificate.ts";
import type { Action } from "../../wire/decision.ts";
import type { EpochSeconds, LocalUser, PeerId, UserId } from "../../wire/units.ts";

/** What the machine's own flags allow. Flags and grant must both allow. */
export interface MachineFlags {
  readonly sshServer: boolean;
  readonly sshRoot: boolean;
  readonly sshSftp: boolean;
  readonly sshLocalForwarding: boolean;
  readonly sshRemoteForwarding: boolean;
  /** Runs as root. Without it only `ownUser` is served. */
  readonly privileged: boolean;
  readonly ownUser: LocalUser;
  /** Whether a required recording could be made at this moment. */
  readonly recording: boolean;
}

/** May this user, from this device, be this local user here and now, to do this? */
export interface AccessRequest {
  readonly userId: UserId;
  /** Null: an unmanaged device (keyboard-interactive). */
  readonly devicePeerId: PeerId | null;
  /**
   * The machine whose agent relays another program of one of its users (`--intercept`), as its hello proved.
   * It is not a device of the person. Absent: none.
   */
  readonly interceptedBy?: PeerId;
  readonly localUser: LocalUser;
  /** Null when the OS account is not looked up (management); then only the name `root` counts as uid 0. */
  readonly localUid: number | null;
  readonly action: Action;
  readonly nowSeconds: EpochSeconds;
  /**
   * The time for judging approvals and temporary memberships: the later of the machine's clock and
   * management's last reported time. Absent: `nowSeconds`.
   */
  readonly endsAtSeconds?: EpochSeconds;
  /** When the person authenticated. Null when the provider does not say. */
  readonly authTimeSeconds: EpochSeconds | null;
  readonly binding: Binding;
  /** The person's reason. Empty: none. */
  readonly reason: string;
  readonly flags: MachineFlags;
}

/** May this peer itself be this local user here (`--disable-ssh-auth`)? */
export interface PeerAccessRequest {
  readonly sourcePeerId: PeerId;
  readonly localUser: LocalUser;
  readonly localUid: number | null;
  readonly action: Action;
  readonly nowSeconds: EpochSeconds;
  /** As in `AccessRequest`. */
  readonly endsAtSeconds?: EpochSeconds;
  readonly flags: MachineFlags;
}

/** The machine flags that an admin sets, as the agent stores and reports them. */
export type SetFlags = Pick<
  MachineFlags,
  "sshServer" | "sshRoot" | "sshSftp" | "sshLocalForwarding" | "sshRemoteForwarding"
>;

/** The flags for a decision: the set flags, from any record that has them, and the machine's own facts. */
export function machineFlagsOf(flags: SetFlags, facts: Omit<MachineFlags, keyof SetFlags>): MachineFlags {
  const { sshServer, sshRoot, sshSftp, sshLocalForwarding, sshRemoteForwarding } = flags;
  const { privileged, ownUser, recording } = facts;
  return {
    sshServer,
    sshRoot,
    sshSftp,
    sshLocalForwarding,
    sshRemoteForwarding,
    privileged,
    ownUser,
    recording,
  };
}
