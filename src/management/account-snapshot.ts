/**
 * From rows to the account that maps are compiled from: who is in which group, what each rule says.
 *
 * @module
 */

import { sshBlobOfEd25519 } from "../base/ed25519.ts";
import { sha256 } from "../base/random.ts";
import type { AccountPeer, AccountSnapshot } from "../policy/compile.ts";
import { passesPosture } from "../policy/posture.ts";
import { isSshProtocol } from "../policy/snapshot.ts";
import type { MapRule, MapUser } from "../wire/network-map.ts";
import type { AccountId, GroupId, PeerId } from "../wire/units.ts";
import { PROTOCOL_VERSION } from "../wire/version.ts";
import type { KeyRing } from "./context.ts";
import { findAccount, findEpoch } from "./db/accounts.ts";
import { listGroups, listMemberships } from "./db/groups.ts";
import { listRevokedLogins } from "./db/logins.ts";
import { listPeers, type PeerRow } from "./db/peers.ts";
import {
  listPolicies,
  listPostureChecks,
  type PolicyRow,
  type PolicyRuleRow,
  type PostureCheckRow,
} from "./db/policies.ts";
import type { Reader, Store } from "./db/store.ts";
import { issuerUrl, listUsers, type UserRow } from "./db/users.ts";
import { filled, mapSettings } from "./settings.ts";

/** Rows of one moment. */
export interface AccountRows {
  readonly account: NonNullable<Awaited<ReturnType<typeof findAccount>>>;
  readonly epoch: number;
  readonly users: readonly UserRow[];
  readonly peers: readonly PeerRow[];
  readonly allGroupId: GroupId | null;
  readonly groupsByPeer: ReadonlyMap<PeerId, readonly GroupId[]>;
  readonly policies: Awaited<ReturnType<typeof listPolicies>>;
  readonly postureChecks: readonly PostureCheckRow[];
  readonly revokedLogins: Awaited<ReturnType<typeof listRevokedLogins>>;
}

/** Undefined when there is no such account. */
export function loadAccountRows(store: Store, accountId: AccountId): Promise<AccountRows | undefined> {
  return store.snapshot((tx) => readRows(tx, accountId));
}

async function readRows(tx: Reader, accountId: AccountId): Promise<AccountRows | undefined> {
  const account = await findAccount(tx, accountId);
  if (account === undefined) return undefined;
  const groups = await listGroups(tx, accountId);
  const groupsByPeer = new Map<PeerId, GroupId[]>();
  for (const { groupId, peerId } of await listMemberships(tx, accountId)) {
    const list = groupsByPeer.get(peerId);
    if (list === undefined) groupsByPeer.set(peerId, [groupId]);
    else list.push(groupId);
  }
  return {
    account,
    epoch: await findEpoch(tx),
    users: await listUsers(tx, accountId),
    peers: await listPeers(tx, accountId),
    allGroupId: groups.find((group) => group.isAll)?.id ?? null,
    groupsByPeer,
    policies: await listPolicies(tx, accountId),
    postureChecks: await listPostureChecks(tx, accountId),
    revokedLogins: await listRevokedLogins(tx, accountId),
  };
}

/** The account as `compileMap` wants it. `embeddedIssuer` is the URL of the embedded provider. */
export async function snapshotAccount(
  rows: AccountRows,
  deps: { keys: KeyRing; origin: string; embeddedIssuer: string },
): Promise<AccountSnapshot> {
  const { account } = rows;
  return {
    protocolVersion: PROTOCOL_VERSION,
    accountId: account.id,
    origin: deps.origin,
    epoch: rows.epoch,
    version: account.version,
    settings: mapSettings(account.settings, account.domain),
    cas: await deps.keys.cas(account.id),
    issuers: await deps.keys.issuers(account.id),
    managementKeys: await deps.keys.tokenKeys(account.id),
    revokedLogins: rows.revokedLogins.map((login) => ({
      id: sha256(sshBlobOfEd25519(login.loginKey)),
      untilSeconds: login.until,
    })),
    users: rows.users.map((user) => mapUser(user, rows.allGroupId, deps)),
    peers: mapPeers(rows),
    rules: rows.policies.flatMap(({ policy, rules }) => rules.map((rule) => mapRule(policy, rule))),
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
    name: user.name,
    email: user.email,
    status,
    isService: user.isServiceUser,
    groups: isInAll ? withGroup(user.autoGroups, allGroupId) : user.autoGroups,
  };
}

function mapPeers(rows: AccountRows): AccountPeer[] {
  const groupsOf = (peerId: PeerId): readonly GroupId[] => {
    const own = rows.groupsByPeer.get(peerId) ?? [];
    return rows.allGroupId === null ? own : withGroup(own, rows.allGroupId);
  };
  const known = new Set(rows.peers.map((peer) => peer.id));
  const isEveryoneApproved = filled(rows.account.settings).device_approval === "auto";
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
      peer.vouchedByPeerId !== null && known.has(peer.vouchedByPeerId)
        ? [...groupsOf(peer.vouchedByPeerId)]
        : [],
    posturePassed: posturePassed(peer, rows.postureChecks),
    sshEnabled: peer.sshEnabled,
  }));
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

/** A stored rule as a machine sees it. */
export function mapRule(policy: PolicyRow, { id, body }: PolicyRuleRow): MapRule {
  return {
    id,
    policyId: policy.id,
    enabled: policy.enabled && body.enabled,
    action: body.action,
    protocol: body.protocol,
    ports: [
      ...(body.ports ?? []).map((port) => ({ start: Number(port), end: Number(port) })),
      ...(body.port_ranges ?? []),
    ],
    sources: body.sources ?? [],
    sourcePeerId: body.sourceResource?.id ?? null,
    sourceDevices: body.source_devices ?? [],
    destinations: body.destinations ?? [],
    destinationPeerId: body.destinationResource?.id ?? null,
    authorizedGroups: isSshProtocol(body) ? (body.authorized_groups ?? {}) : {},
    capabilities: body.ssh ?? {},
    machineLocalUsers: body.machine_local_users ?? null,
    bidirectional: body.bidirectional,
    validFromSeconds: body.valid_from ?? null,
    validUntilSeconds: body.valid_until ?? null,
    schedule: body.schedule ?? null,
    postureChecks: policy.sourcePostureChecks,
  };
}

function withGroup(groups: readonly GroupId[], group: GroupId): GroupId[] {
  return groups.includes(group) ? [...groups] : [...groups, group];
}
