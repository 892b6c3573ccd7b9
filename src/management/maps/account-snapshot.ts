/**
 * The compiler's view of an account, built from rows: who is in which group, and what each rule says.
 *
 * @module
 */

import { sshBlobOfEd25519 } from "../../base/ed25519.ts";
import { sha256 } from "../../base/random.ts";
import { passesPosture } from "../../policy/decide/posture.ts";
import { type AccountPeer, commonOf, type MapCommon } from "../../policy/maps/compile.ts";
import { requireAt } from "../../policy/maps/group-floors.ts";
import { mapRuleOf, type RuleDefaults } from "../../policy/maps/map-rule.ts";
import { CLOCK_SKEW_SECONDS } from "../../wire/certificate.ts";
import { shortName } from "../../wire/display-name.ts";
import { MAP_USER_NAME_MAX, type MapApproval, type MapRule, type MapUser } from "../../wire/network-map.ts";
import type { PolicyRuleWrite } from "../../wire/policy.ts";
import { BROWSER_OS } from "../../wire/terminal-page.ts";
import type { GroupId, PeerId } from "../../wire/units.ts";
import { PROTOCOL_VERSION } from "../../wire/version.ts";
import type { KeyRing } from "../contracts/context.ts";
import { filled, mapSettings } from "../contracts/settings.ts";
import type { LoginRow } from "../db/tables/logins.ts";
import type { PeerRow } from "../db/tables/peers.ts";
import type { PolicyRow, PolicyRuleRow, PostureCheckRow } from "../db/tables/policies.ts";
import { issuerUrl, type UserRow } from "../db/tables/users.ts";
import type { AccountPart, AccountRows, SettledRows } from "./account-rows.ts";

/** What the installation contributes. `embeddedIssuer` is the embedded provider's URL. */
export interface AccountDeps {
  readonly keys: KeyRing;
  readonly origin: string;
  readonly embeddedIssuer: string;
}

/** The parts that all maps of the account share. */
export async function commonOfAccount(
  { account, epoch }: Pick<AccountRows, "account" | "epoch">,
  revokedLogins: readonly LoginRow[],
  { keys, origin }: AccountDeps,
): Promise<MapCommon> {
  const loginSecondsMax = filled(account.settings).login_seconds_max;
  return commonOf({
    protocolVersion: PROTOCOL_VERSION,
    accountId: account.id,
    origin,
    epoch,
    settings: mapSettings(account.settings, account.domain),
    cas: await keys.cas(account.id),
    issuers: await keys.issuers(account.id),
    managementKeys: await keys.tokenKeys(account.id),
    revokedLogins: revokedLogins.map(({ loginKey, until, issuedAt }) => ({
      id: revokedLoginId(loginKey),
      untilSeconds: Math.max(until, issuedAt + loginSecondsMax + 2 * CLOCK_SKEW_SECONDS),
    })),
  });
}

/** The id of a login in maps: a digest of its key. */
export function revokedLoginId(loginKey: string): string {
  return sha256(sshBlobOfEd25519(loginKey));
}

/** Converts rows to the entities that maps are compiled from. */
export function entitiesOf(
  rows: AccountPart,
  settled: SettledRows,
  deps: Pick<AccountDeps, "origin" | "embeddedIssuer">,
): { users: MapUser[]; peers: AccountPeer[]; rules: MapRule[] } {
  return {
    users: rows.users.map((user) => mapUser(user, settled.allGroupId, deps)),
    peers: mapPeers(rows, settled),
    rules: rows.rules.map(({ policy, rule }) => mapRule(policy, rule, settled)),
  };
}

export function userStatus(user: Pick<UserRow, "isBlocked" | "pendingApproval">): MapUser["status"] {
  if (user.isBlocked) return "blocked";
  return user.pendingApproval ? "pending" : "active";
}

function mapUser(
  user: UserRow,
  allGroupId: GroupId | null,
  urls: { origin: string; embeddedIssuer: string },
): MapUser {
  const status = userStatus(user);
  const isInAll = allGroupId !== null && status === "active" && !user.isServiceUser;
  return {
    id: user.id,
    issuer: issuerUrl(user.issuer, urls),
    subject: user.subject,
    name: shortName(user.name, MAP_USER_NAME_MAX),
    email: user.email,
    status,
    isService: user.isServiceUser,
    groups: isInAll ? withGroup(user.autoGroups, allGroupId) : user.autoGroups,
    ...groupsUntil(user),
  };
}

/** The latest end of each membership that has one. */
function groupsUntil({ autoGroupsUntil }: UserRow): Pick<MapUser, "groupsUntil"> {
  if (autoGroupsUntil === null || autoGroupsUntil.length === 0) return {};
  const ends: Record<GroupId, number> = {};
  for (const { groupId, until } of autoGroupsUntil) ends[groupId] = Math.max(ends[groupId] ?? 0, until);
  return { groupsUntil: ends };
}

/** Approved requests of kind `machine`, in the form that machines get. */
function approvalsByMachine(approved: AccountPart["approved"]): Map<PeerId, MapApproval[]> {
  const byMachine = new Map<PeerId, MapApproval[]>();
  for (const { id, userId, devicePeerId, machinePeerId, localUser, ruleId, endsAt } of approved) {
    if (devicePeerId === null || machinePeerId === null || localUser === null) continue;
    if (ruleId === null || endsAt === null) continue;
    const approval = { id, ruleId, userId, devicePeerId, localUser, untilSeconds: endsAt };
    byMachine.set(machinePeerId, [...(byMachine.get(machinePeerId) ?? []), approval]);
  }
  return byMachine;
}

function mapPeers(rows: AccountPart, settled: SettledRows): AccountPeer[] {
  const { allGroupId, isEveryoneApproved } = settled;
  const groupsOf = (peerId: PeerId): readonly GroupId[] => {
    const own = rows.groupsByPeer.get(peerId) ?? [];
    return allGroupId === null ? own : withGroup(own, allGroupId);
  };
  const approvals = approvalsByMachine(rows.approved);
  return rows.peers.map((peer) => ({
    id: peer.id,
    name: peer.name,
    kind: peer.kind,
    address: peer.address,
    deviceKey: peer.deviceKey,
    status: peer.status,
    groups: [...groupsOf(peer.id)],
    ownerUserId: peer.ownerUserId,
    ownerApproved: isEveryoneApproved || peer.ownerApproved,
    vouchedGroups:
      peer.vouchedByPeerId !== null && rows.active.has(peer.vouchedByPeerId)
        ? [...groupsOf(peer.vouchedByPeerId)]
        : [],
    posturePassed: posturePassed(peer, settled.postureChecks),
    ...(peer.facts.os === BROWSER_OS ? { isBrowser: true as const } : {}),
    sshEnabled: peer.sshEnabled,
    ...optionalApprovals(approvals.get(peer.id)),
    ...requireAt(groupsOf(peer.id), settled.requires),
  }));
}

function optionalApprovals(approvals: readonly MapApproval[] | undefined): Pick<AccountPeer, "approvals"> {
  return approvals === undefined ? {} : { approvals };
}

function posturePassed(peer: PeerRow, checks: readonly PostureCheckRow[]): string[] {
  const facts = {
    os: peer.facts.os,
    kernelVersion: peer.facts.kernelVersion,
    version: peer.facts.version,
    connectionIp: peer.connectionIp,
  };
  return checks.filter((row) => passesPosture(row.checks, facts)).map((row) => row.id);
}

/**
 * Where each field of a written rule goes in a map. Null: machines do not need it. A new field without an
 * entry does not compile, nor does an entry that names no field of `MapRule`.
 */
export const MAP_FIELDS: Readonly<Record<keyof PolicyRuleWrite, keyof MapRule | null>> = {
  id: "id",
  name: null,
  description: null,
  enabled: "enabled",
  action: "action",
  bidirectional: "bidirectional",
  protocol: "protocol",
  ports: "ports",
  port_ranges: "ports",
  authorized_groups: "authorizedGroups",
  ssh: "capabilities",
  source_devices: "sourceDevices",
  allow_intercepted: "allowIntercepted",
  machine_local_users: "machineLocalUsers",
  valid_from: "validFromSeconds",
  valid_until: "validUntilSeconds",
  schedule: "schedule",
  // Management knows who decides about requests. Machines get only the decisions.
  approver_groups: null,
  approval_seconds: null,
  sources: "sources",
  sourceResource: "sourcePeerId",
  destinations: "destinations",
  destinationResource: "destinationPeerId",
};

/** A stored rule in the form that machines get. */
export function mapRule(policy: PolicyRow, { id, body }: PolicyRuleRow, defaults: RuleDefaults): MapRule {
  return mapRuleOf(policy, { ...body, id }, defaults);
}

function withGroup(groups: readonly GroupId[], group: GroupId): GroupId[] {
  return groups.includes(group) ? [...groups] : [...groups, group];
}
