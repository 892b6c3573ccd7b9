/**
 * Compiles an account to one machine's map: only rules with the machine as a destination (or as a source, if
 * bidirectional), only the users and peers those rules can concern, only the groups they mention.
 *
 * Read `compileMap`. Nothing that cannot matter to the machine leaves management.
 *
 * @module
 */
import type {
  MapApproval,
  MapCa,
  MapPeer,
  MapRule,
  MapSettings,
  MapUser,
  NetworkMap,
  PublicJwk,
  RevokedLogin,
  TrustedIssuer,
} from "../../wire/network-map.ts";
import type { AccountId, GroupId, PeerId } from "../../wire/units.ts";
import { type Floor, strictest } from "../decide/obligations.ts";
import { isMutual } from "../decide/snapshot.ts";

/** A whole account at one version: what every map is made from. */
export interface AccountSnapshot {
  readonly protocolVersion: number;
  readonly accountId: AccountId;
  readonly origin: string;
  readonly epoch: number;
  readonly version: number;
  readonly settings: MapSettings;
  readonly cas: readonly MapCa[];
  readonly issuers: readonly TrustedIssuer[];
  readonly managementKeys: readonly PublicJwk[];
  readonly revokedLogins: readonly RevokedLogin[];
  /** With all their groups, `All` included where they belong to it. */
  readonly users: readonly MapUser[];
  readonly peers: readonly AccountPeer[];
  /** Every rule of every policy, disabled ones included. */
  readonly rules: readonly MapRule[];
}

/** A peer as the account knows it: as a source (`MapPeer`) and as a target. */
export interface AccountPeer extends MapPeer {
  readonly sshEnabled: boolean;
  /** Live approvals at this machine, by id. Absent: none. */
  readonly approvals?: readonly MapApproval[];
  /** What its groups require of every grant there. Absent: nothing. */
  readonly require?: Floor | undefined;
}

/** The fields of a map that are the same for every peer of an account. */
export type MapCommon = Pick<
  NetworkMap,
  "protocolVersion" | "accountId" | "origin" | "epoch" | "settings" | "cas" | "issuers" | "managementKeys"
> &
  Pick<NetworkMap, "revokedLogins">;

/** The fields of a map that come from its rules: the same for every machine with exactly these rules. */
export type MapScope = Pick<NetworkMap, "users" | "peers" | "rules">;

/** Lookups over an account that compilations share. `account-view.ts` maintains one. */
export interface AccountIndex {
  readonly peersById: ReadonlyMap<PeerId, AccountPeer>;
  readonly usersById: ReadonlyMap<string, MapUser>;
  readonly usersByGroup: ReadonlyMap<GroupId, Iterable<MapUser>>;
  /** By every group the device counts as in: own, owner's, vouched. */
  readonly peersByGroup: ReadonlyMap<GroupId, Iterable<AccountPeer>>;
  readonly peersByOwner: ReadonlyMap<string, Iterable<AccountPeer>>;
  /** By group, or by peer if a rule names one. */
  readonly rulesByDestination: ReadonlyMap<string, Iterable<MapRule>>;
}

/** Entries as they are in a map, with only the groups that the map's rules mention. */
export interface Narrowing {
  user(user: MapUser, mentioned: ReadonlySet<GroupId>): MapUser;
  peer(peer: AccountPeer, mentioned: ReadonlySet<GroupId>): MapPeer;
}

/** The lookups of `account`. Linear in its size. */
export function indexAccount(account: AccountSnapshot): AccountIndex & { readonly account: AccountSnapshot } {
  const usersById = new Map(account.users.map((user) => [user.id, user]));
  const usersByGroup = new Map<GroupId, MapUser[]>();
  const peersByGroup = new Map<GroupId, AccountPeer[]>();
  const peersByOwner = new Map<string, AccountPeer[]>();
  const rulesByDestination = new Map<string, MapRule[]>();
  for (const user of account.users) for (const group of everyGroup(user)) push(usersByGroup, group, user);
  for (const peer of account.peers) {
    for (const group of countedGroups(peer, usersById)) push(peersByGroup, group, peer);
    if (peer.ownerUserId !== null) push(peersByOwner, peer.ownerUserId, peer);
  }
  for (const rule of account.rules) {
    for (const key of destinationKeys(rule)) push(rulesByDestination, key, rule);
  }
  const peersById = new Map(account.peers.map((peer) => [peer.id, peer]));
  return { account, peersById, usersById, usersByGroup, peersByGroup, peersByOwner, rulesByDestination };
}

/** The map of one machine, or undefined when the account has no such peer. */
export function compileMap(
  index: AccountIndex & { readonly account: AccountSnapshot },
  peerId: PeerId,
): NetworkMap | undefined {
  const self = index.peersById.get(peerId);
  if (self === undefined) return undefined;
  const scope = scopeOf(index, rulesFor(index, self), plainNarrowing);
  return assembleMap(commonOf(index.account), self, scope, index.account.version);
}

/** The fields that every map of `account` has. */
export function commonOf(account: Omit<AccountSnapshot, "users" | "peers" | "rules" | "version">): MapCommon {
  return {
    protocolVersion: account.protocolVersion,
    accountId: account.accountId,
    origin: account.origin,
    epoch: account.epoch,
    settings: account.settings,
    cas: byKey(account.cas, (ca) => ca.id),
    issuers: [...account.issuers],
    managementKeys: [...account.managementKeys],
    revokedLogins: byKey(account.revokedLogins, (login) => login.id),
  };
}

/** Assembles the parts of one machine's map. They are shared, since maps are immutable. */
export function assembleMap(
  common: MapCommon,
  self: AccountPeer,
  scope: MapScope,
  version: number,
): NetworkMap {
  return {
    protocolVersion: common.protocolVersion,
    accountId: common.accountId,
    origin: common.origin,
    epoch: common.epoch,
    version,
    self: {
      peerId: self.id,
      name: self.name,
      address: self.address,
      groups: [...self.groups].sort(),
      sshEnabled: self.sshEnabled && self.status === "active",
      ...(self.approvals?.length ? { approvals: [...self.approvals] } : {}),
    },
    settings: settingsFor(common.settings, self),
    cas: common.cas,
    issuers: common.issuers,
    managementKeys: common.managementKeys,
    users: scope.users,
    peers: scope.peers,
    rules: scope.rules,
    revokedLogins: common.revokedLogins,
  };
}

/** The settings with what the machine's groups require, which no rule can loosen. */
export function settingsFor(settings: MapSettings, { require }: Pick<AccountPeer, "require">): MapSettings {
  return require === undefined ? settings : { ...settings, require: strictest(settings.require, require) };
}

/** Rules with this machine among their destinations. None for a blocked or pending machine. */
export function rulesFor(
  index: AccountIndex,
  self: Pick<AccountPeer, "id" | "groups" | "status">,
): MapRule[] {
  if (self.status !== "active") return [];
  const rules = new Map<string, MapRule>();
  for (const key of [self.id, ...self.groups]) {
    for (const rule of index.rulesByDestination.get(key) ?? []) rules.set(rule.id, rule);
  }
  return [...rules.values()];
}

/** Users and peers that `rules` can concern, the owners of those peers, and their other devices. */
export function scopeOf(index: AccountIndex, rules: readonly MapRule[], narrow: Narrowing): MapScope {
  const users = new Set<MapUser>();
  const peers = new Set<AccountPeer>();
  const mentioned = new Set<GroupId>(rules.some(refusesBrowsers) ? [BROWSERS] : []);
  for (const rule of rules) {
    for (const group of sourceGroups(rule)) {
      if (mentioned.has(group)) continue;
      mentioned.add(group);
      for (const user of index.usersByGroup.get(group) ?? []) users.add(user);
      for (const peer of index.peersByGroup.get(group) ?? []) peers.add(peer);
    }
    for (const peerId of sourcePeers(rule)) {
      const source = index.peersById.get(peerId);
      if (source !== undefined) peers.add(source);
    }
  }
  for (const { ownerUserId } of peers) {
    const owner = ownerUserId === null ? undefined : index.usersById.get(ownerUserId);
    if (owner !== undefined) users.add(owner);
  }
  // A person's other devices are included, so that a denial can say "not from this device".
  for (const user of users) for (const peer of index.peersByOwner.get(user.id) ?? []) peers.add(peer);
  return {
    users: byKey(
      Array.from(users, (user) => narrow.user(user, mentioned)),
      (user) => user.id,
    ),
    peers: byKey(
      Array.from(peers, (peer) => narrow.peer(peer, mentioned)),
      (peer) => peer.id,
    ),
    rules: byKey(rules, (rule) => rule.id),
  };
}

/** Pseudo-entry among the mentioned groups: some rule refuses browsers. */
export const BROWSERS = "browsers";

/** Older agents do not know `isBrowser`, so it is sent only if a rule needs it. */
function refusesBrowsers({ capabilities }: MapRule): boolean {
  return capabilities.allow_browsers === false;
}

/** Makes a new entry each time. */
export const plainNarrowing: Narrowing = {
  user: ({ groupsUntil, ...user }, mentioned) => ({
    ...user,
    groups: keepGroups(user.groups, mentioned),
    ...keepEnds(groupsUntil, mentioned),
  }),
  peer: ({ sshEnabled: _, approvals: __, require: ___, isBrowser, ...source }, mentioned) => ({
    ...source,
    ...(isBrowser === true && mentioned.has(BROWSERS) ? { isBrowser } : {}),
    groups: keepGroups(source.groups, mentioned),
    vouchedGroups: keepGroups(source.vouchedGroups, mentioned),
  }),
};

/** The mentioned ones among `groups`, sorted. */
export function keepGroups(groups: readonly GroupId[], mentioned: ReadonlySet<GroupId>): GroupId[] {
  return groups.filter((group) => mentioned.has(group)).sort();
}

function keepEnds(
  groupsUntil: MapUser["groupsUntil"] = {},
  mentioned: ReadonlySet<GroupId>,
): Pick<MapUser, "groupsUntil"> {
  const kept = keepGroups(Object.keys(groupsUntil), mentioned).map((group) => [group, groupsUntil[group]]);
  return kept.length === 0 ? {} : { groupsUntil: Object.fromEntries(kept) };
}

/** All groups of `user`, including temporary ones still listed after their end. */
export function everyGroup({
  groups,
  groupsUntil,
}: Pick<MapUser, "groups" | "groupsUntil">): readonly GroupId[] {
  return groupsUntil === undefined ? groups : [...new Set([...groups, ...Object.keys(groupsUntil)])];
}

/** Groups whose members the rule concerns. */
export function sourceGroups(rule: MapRule): GroupId[] {
  const back = isMutual(rule) ? rule.destinations : [];
  const others = [...back, ...(rule.allowIntercepted ?? [])];
  return [...rule.sources, ...rule.sourceDevices, ...Object.keys(rule.authorizedGroups), ...others];
}

/** Peers that the rule names as sources. */
export function sourcePeers({ sourcePeerId, destinationPeerId, ...rule }: MapRule): PeerId[] {
  return [sourcePeerId, isMutual(rule) ? destinationPeerId : null].filter((id) => id !== null);
}

/** Destination groups or peers of the rule; for a bidirectional one also its sources. */
export function destinationKeys(rule: MapRule): Set<string> {
  const there = rule.destinationPeerId === null ? rule.destinations : [rule.destinationPeerId];
  if (!isMutual(rule)) return new Set(there);
  return new Set([...there, ...(rule.sourcePeerId === null ? rule.sources : [rule.sourcePeerId])]);
}

/**
 * Every group `peer` counts as in: its own, its owner's once approved, and those a vouching machine lends.
 */
export function countedGroups(peer: AccountPeer, users: ReadonlyMap<string, MapUser>): Set<GroupId> {
  const groups = new Set([...peer.groups, ...peer.vouchedGroups]);
  const owner = peer.ownerUserId === null || !peer.ownerApproved ? undefined : users.get(peer.ownerUserId);
  if (owner !== undefined) for (const group of everyGroup(owner)) groups.add(group);
  return groups;
}

function byKey<T>(entries: readonly T[], keyOf: (entry: T) => string): Record<string, T> {
  const sorted = entries.map((entry) => [keyOf(entry), entry] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted);
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
