/**
 * Adding a peer to an account: its name, address, groups, and the use of its setup key.
 *
 * The caller has checked the device key's proof. Everything happens in the caller's transaction.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { newId } from "../../../base/random.ts";
import type { PeerFacts } from "../../../wire/client-api.ts";
import type { AccountId, GroupId, HostLabel, PeerId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { Vouch } from "../schema/network.ts";
import type { Row } from "../schema/schema.ts";
import { freeAddress } from "./addresses.ts";
import { appendEvents, type NewEvent, systemInitiator } from "./audit-events.ts";
import { addPeerToGroups } from "./groups.ts";
import { findHead } from "./log-tree.ts";
import { findPeerByDeviceKey, isNameFree, type PeerRow } from "./peers.ts";
import { useSetupKey } from "./setup-keys.ts";
import type { UserRow } from "./users.ts";

/** Counting suffixes tried before random ones. */
const COUNTED_SUFFIXES_MAX = 20;
const ATTEMPTS_MAX = 64;
const LABEL_LENGTH_MAX = 63;

export interface NewPeer {
  readonly accountId: AccountId;
  readonly kind: "machine" | "device";
  /** The wanted name. A taken or reserved one gets a suffix. */
  readonly name: HostLabel;
  readonly deviceKey: string;
  readonly hostKeys: readonly string[];
  readonly facts: PeerFacts;
  /** The address that its request came from. */
  readonly connectionIp: string;
  /** A device's owner. Null for machines. */
  readonly owner: Pick<UserRow, "id" | "email"> | null;
  readonly ownerApproved: boolean;
  readonly status: "active" | "pending";
  readonly vouchedByPeerId: PeerId | null;
  /** Default: null. */
  readonly vouch?: Vouch | null;
  readonly ephemeral: boolean;
  /** Whether an admin adds the peer. Default false. */
  readonly nameConfirmed?: boolean;
  readonly groups: readonly GroupId[];
}

/** Creates the peer, with SSH enabled. Throws ERR_CONFLICT when its device key is enrolled already. */
export async function insertPeer(tx: Writer, wanted: NewPeer): Promise<PeerRow> {
  if ((await findPeerByDeviceKey(tx, wanted.deviceKey)) !== undefined) {
    throw new QfError("ERR_CONFLICT", "this device key is enrolled already");
  }
  const { name, dnsName } = await freeName(tx, wanted);
  const now = nowSeconds(tx.clock);
  const row: PeerRow = {
    id: newId(),
    accountId: wanted.accountId,
    kind: wanted.kind,
    name,
    displayName: null,
    dnsName,
    nameConfirmed: wanted.nameConfirmed ?? false,
    deviceKey: wanted.deviceKey,
    hostKeys: [...wanted.hostKeys],
    address: await freeAddress(tx, wanted.accountId),
    ownerUserId: wanted.owner?.id ?? null,
    status: wanted.status,
    ownerApproved: wanted.ownerApproved,
    sshEnabled: true,
    ephemeral: wanted.ephemeral,
    facts: wanted.facts,
    flags: null,
    direct: [],
    connectionIp: wanted.connectionIp,
    vouchedByPeerId: wanted.vouchedByPeerId,
    vouch: wanted.vouch ?? null,
    loginExpirationEnabled: false,
    inactivityExpirationEnabled: false,
    mapVersion: 0,
    mapDigest: "",
    nextAuditSeq: 1,
    createdAt: now,
    lastSeenAt: now,
    lastLoginAt: now,
  };
  await tx.sql.insert(tx.t.peers).values(row);
  await addPeerToGroups(tx, wanted.accountId, row.id, wanted.groups);
  if ((await findHead(tx, wanted.accountId)) !== undefined) {
    await appendEvents(tx, wanted.accountId, systemInitiator, [peerKeyEvent(row)]);
  }
  return row;
}

/** The event by which the peer's device key comes into force. */
export function peerKeyEvent({ id, name, deviceKey }: PeerRow): NewEvent {
  return { activity: "peer.key", targetId: id, meta: { name }, data: { device_key: deviceKey } };
}

/**
 * Enrols a machine with a setup key and counts the use in the same transaction, so that a one-off key admits
 * one machine however many try at once. Throws the same ERR_UNAUTHENTICATED for every reason that a key does
 * not work.
 */
export async function enrolWithSetupKey(
  tx: Writer,
  setupKey: string,
  wanted: Omit<
    NewPeer,
    | "accountId"
    | "kind"
    | "owner"
    | "ownerApproved"
    | "ephemeral"
    | "nameConfirmed"
    | "groups"
    | "vouchedByPeerId"
    | "vouch"
  >,
): Promise<{ peer: PeerRow; key: Row<"setupKeys"> }> {
  const key = await useSetupKey(tx, setupKey);
  const peer = await insertPeer(tx, {
    ...wanted,
    accountId: key.accountId,
    kind: "machine",
    owner: null,
    ownerApproved: wanted.status === "active",
    vouchedByPeerId: null,
    ephemeral: key.ephemeral,
    groups: key.autoGroups,
  });
  return { peer, key };
}

/** The labels below the account's domain for a peer of that name. */
export function dnsNameOf(
  kind: "machine" | "device",
  name: HostLabel,
  owner: Pick<UserRow, "id" | "email"> | null,
): string {
  if (kind === "machine") return name;
  return `${name}.${owner === null ? "nobody" : userLabel(owner)}.device`;
}

/** A person's label in device names: from the local part of the e-mail address, else from the id. */
export function userLabel(user: Pick<UserRow, "id" | "email">): HostLabel {
  const label = (user.email.split("@")[0] ?? "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LABEL_LENGTH_MAX)
    .replace(/^-+|-+$/g, "");
  return label === "" ? user.id : label;
}

async function freeName(
  tx: Reader,
  wanted: Pick<NewPeer, "accountId" | "kind" | "name" | "owner">,
): Promise<{ name: HostLabel; dnsName: string }> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const name = suffixed(wanted.name, attempt);
    const dnsName = dnsNameOf(wanted.kind, name, wanted.owner);
    if (await isNameFree(tx, wanted.accountId, dnsName)) return { name, dnsName };
  }
  throw new QfError("ERR_CONFLICT", "there is no free name for this peer", { hint: "give another --name" });
}

function suffixed(name: HostLabel, attempt: number): HostLabel {
  if (attempt === 1) return name;
  const suffix = attempt <= COUNTED_SUFFIXES_MAX ? `-${attempt}` : `-${newId().slice(0, 6)}`;
  return name.slice(0, LABEL_LENGTH_MAX - suffix.length).replace(/-+$/, "") + suffix;
}

/** Whether a new device counts as in its owner's groups at once, by the account's `device_approval`. */
export function isApprovedAtOnce(
  approval: "auto" | "first" | "admin",
  devicesOfOwner: readonly Pick<PeerRow, "kind">[],
): boolean {
  if (approval === "auto") return true;
  return approval === "first" && !devicesOfOwner.some((peer) => peer.kind === "device");
}
