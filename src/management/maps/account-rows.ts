/**
 * The rows that an account's maps are compiled from: all of them, or only those changed since a version.
 *
 * @module
 */

import type { Floor } from "../../policy/decide/obligations.ts";
import { requiresOf } from "../../policy/maps/group-floors.ts";
import type { AccountId, GroupId, PeerId } from "../../wire/units.ts";
import { filled } from "../contracts/settings.ts";
import type { Reader } from "../db/engine/transaction.ts";
import { type AccessRequestRow, listApproved } from "../db/tables/access-requests.ts";
import { findAccount, findEpoch } from "../db/tables/accounts.ts";
import { listGroups, listMemberships, membershipsOf } from "../db/tables/groups.ts";
import { type LoginRow, listRevokedLogins } from "../db/tables/logins.ts";
import { listMapChanges, type MapChange } from "../db/tables/map-changes.ts";
import { knownPeers, listPeers, type PeerRow } from "../db/tables/peers.ts";
import {
  listPolicies,
  listPostureChecks,
  listRulesOf,
  type PolicyRow,
  type PolicyRuleRow,
  type PostureCheckRow,
} from "../db/tables/policies.ts";
import { knownUsers, listUsers, type UserRow } from "../db/tables/users.ts";

/** Number of changes above which loading everything is cheaper. */
const CHANGES_MAX = 2_000;

/** Some users, peers and rules, with everything their map entries need. */
export interface AccountPart {
  readonly users: readonly UserRow[];
  readonly peers: readonly PeerRow[];
  readonly rules: readonly { readonly policy: PolicyRow; readonly rule: PolicyRuleRow }[];
  /** Stored groups of these peers and of the machines that vouch for them. */
  readonly groupsByPeer: ReadonlyMap<PeerId, readonly GroupId[]>;
  /** Those of these peers and machines that exist. */
  readonly existing: ReadonlySet<PeerId>;
  /** Those of them that are active: only active machines lend their groups to devices. */
  readonly active: ReadonlySet<PeerId>;
  /** Approved requests at these peers, in order of ids. */
  readonly approved: readonly AccessRequestRow[];
}

/** Rows that every entry depends on. When they change, everything is reloaded. */
export interface SettledRows {
  readonly allGroupId: GroupId | null;
  readonly isEveryoneApproved: boolean;
  /** The default for rules that do not say. */
  readonly allowBrowsers: boolean;
  /** How long maps list a revoked login. */
  readonly loginSecondsMax: number;
  readonly postureChecks: readonly PostureCheckRow[];
  /** The floors that groups set for their machines. */
  readonly requires: ReadonlyMap<GroupId, Floor>;
}

/** Rows read in one snapshot. */
export interface AccountRows {
  readonly account: NonNullable<Awaited<ReturnType<typeof findAccount>>>;
  readonly epoch: number;
}

export interface WholeAccount extends AccountRows {
  readonly kind: "whole";
  readonly part: AccountPart;
  readonly settled: SettledRows;
  readonly revokedLogins: readonly LoginRow[];
}

/** Changed rows. An id without a row was deleted. */
export interface ChangedAccount extends AccountRows {
  readonly kind: "changed";
  readonly part: AccountPart;
  readonly userIds: readonly string[];
  readonly peerIds: readonly PeerId[];
  readonly ruleIds: readonly string[];
  readonly policyIds: readonly string[];
  /** Null: unchanged. */
  readonly revokedLogins: readonly LoginRow[] | null;
}

/** The state that the caller already has. */
export interface KnownAccount {
  readonly version: number;
  readonly settled: SettledRows;
  /** Devices that a machine vouches for, which change with it. */
  vouchedBy(machineId: PeerId): Iterable<PeerId>;
}

/**
 * Reads everything, or only the changes since `known` if they are few and on record. Undefined: there is no
 * such account.
 */
export async function readAccount(
  tx: Reader,
  accountId: AccountId,
  known: KnownAccount | null,
): Promise<WholeAccount | ChangedAccount | undefined> {
  const account = await findAccount(tx, accountId);
  if (account === undefined) return undefined;
  const rows = { account, epoch: await findEpoch(tx) };
  if (known === null) return await readWhole(tx, rows);
  const range = { since: known.version, version: account.version, max: CHANGES_MAX };
  const changes = await listMapChanges(tx, accountId, range);
  const isSettled =
    known.settled.isEveryoneApproved === isEveryoneApproved(account) &&
    known.settled.allowBrowsers === filled(account.settings).allow_browsers &&
    known.settled.loginSecondsMax === loginSecondsMax(account);
  if (changes === null || !isSettled || changes.some(({ kind }) => kind === "all")) {
    return await readWhole(tx, rows);
  }
  return await readChanged(tx, rows, known, changes);
}

async function readWhole(tx: Reader, rows: AccountRows): Promise<WholeAccount> {
  const accountId = rows.account.id;
  const groups = await listGroups(tx, accountId);
  const peers = await listPeers(tx, accountId);
  const policies = await listPolicies(tx, accountId);
  return {
    kind: "whole",
    ...rows,
    part: {
      users: await listUsers(tx, accountId),
      peers,
      rules: policies.flatMap(({ policy, rules }) => rules.map((rule) => ({ policy, rule }))),
      groupsByPeer: groupsByPeer(await listMemberships(tx, accountId)),
      existing: new Set(peers.map((peer) => peer.id)),
      active: activeOf(peers),
      approved: await listApproved(tx, accountId, "all"),
    },
    settled: {
      allGroupId: groups.find((group) => group.isAll)?.id ?? null,
      isEveryoneApproved: isEveryoneApproved(rows.account),
      allowBrowsers: filled(rows.account.settings).allow_browsers,
      loginSecondsMax: loginSecondsMax(rows.account),
      postureChecks: await listPostureChecks(tx, accountId),
      requires: requiresOf(groups),
    },
    revokedLogins: await listRevokedLogins(tx, accountId, loginSecondsMax(rows.account)),
  };
}

async function readChanged(
  tx: Reader,
  rows: AccountRows,
  known: KnownAccount,
  changes: readonly MapChange[],
): Promise<ChangedAccount> {
  const accountId = rows.account.id;
  const of = (kind: MapChange["kind"]): string[] =>
    changes.flatMap((change) => (change.kind === kind ? [change.entityId] : []));
  const machines = of("peer");
  const peerIds = [...new Set([...machines, ...machines.flatMap((id) => [...known.vouchedBy(id)])])];
  const peers = await knownPeers(tx, accountId, peerIds);
  const vouching = peers.flatMap(({ vouchedByPeerId }) =>
    vouchedByPeerId === null ? [] : [vouchedByPeerId],
  );
  const also = await knownPeers(tx, accountId, vouching);
  const existing = new Set([...peers, ...also].map((peer) => peer.id));
  const [userIds, ruleIds, policyIds] = [of("user"), of("rule"), of("policy")];
  return {
    kind: "changed",
    ...rows,
    part: {
      users: await knownUsers(tx, accountId, userIds),
      peers,
      rules: await listRulesOf(tx, accountId, { ruleIds, policyIds }),
      groupsByPeer: groupsByPeer(await membershipsOf(tx, [...existing])),
      existing,
      active: activeOf([...peers, ...also]),
      approved: await listApproved(tx, accountId, peerIds),
    },
    userIds,
    peerIds,
    ruleIds,
    policyIds,
    revokedLogins:
      of("login").length > 0 ? await listRevokedLogins(tx, accountId, loginSecondsMax(rows.account)) : null,
  };
}

function activeOf(peers: readonly PeerRow[]): Set<PeerId> {
  return new Set(peers.filter(({ status }) => status === "active").map(({ id }) => id));
}

function isEveryoneApproved({ settings }: AccountRows["account"]): boolean {
  return filled(settings).device_approval === "auto";
}

function loginSecondsMax({ settings }: AccountRows["account"]): number {
  return filled(settings).login_seconds_max;
}

function groupsByPeer(
  memberships: readonly { readonly groupId: GroupId; readonly peerId: PeerId }[],
): Map<PeerId, GroupId[]> {
  const groups = new Map<PeerId, GroupId[]>();
  for (const { groupId, peerId } of memberships) {
    const list = groups.get(peerId);
    if (list === undefined) groups.set(peerId, [groupId]);
    else list.push(groupId);
  }
  return groups;
}
