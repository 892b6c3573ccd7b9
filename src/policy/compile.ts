/**
 * From an account to what one machine is told: only rules that name it as a destination, only the
 * users and peers those rules can speak of, only the groups they mention.
 *
 * Read `compileMap`. Nothing that cannot matter to the machine leaves management.
 *
 * @module
 */
import type {
  MapCa,
  MapPeer,
  MapRule,
  MapSettings,
  MapUser,
  NetworkMap,
  PublicJwk,
  RevokedLogin,
  TrustedIssuer,
} from "../wire/network-map.ts";
import type { AccountId, GroupId, PeerId } from "../wire/units.ts";

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
}

/** Lookups over an account, made once per version and shared by all compilations. */
export interface AccountIndex {
  readonly account: AccountSnapshot;
  readonly peersById: ReadonlyMap<PeerId, AccountPeer>;
  readonly usersById: ReadonlyMap<string, MapUser>;
  readonly usersByGroup: ReadonlyMap<GroupId, readonly MapUser[]>;
  /** By every group the device counts as in: own, owner's, vouched. */
  readonly peersByGroup: ReadonlyMap<GroupId, readonly AccountPeer[]>;
  readonly peersByOwner: ReadonlyMap<string, readonly AccountPeer[]>;
  readonly rulesByDestination: ReadonlyMap<string, readonly MapRule[]>;
}

/** Indexes `account`. Linear in its size. */
export function indexAccount(account: AccountSnapshot): AccountIndex {
  const usersById = new Map(account.users.map((user) => [user.id, user]));
  const usersByGroup = new Map<GroupId, MapUser[]>();
  const peersByGroup = new Map<GroupId, AccountPeer[]>();
  const peersByOwner = new Map<string, AccountPeer[]>();
  const rulesByDestination = new Map<string, MapRule[]>();
  for (const user of account.users) for (const group of user.groups) push(usersByGroup, group, user);
  for (const peer of account.peers) {
    for (const group of countedGroups(peer, usersById)) push(peersByGroup, group, peer);
    if (peer.ownerUserId !== null) push(peersByOwner, peer.ownerUserId, peer);
  }
  for (const rule of account.rules) {
    if (rule.destinationPeerId !== null) push(rulesByDestination, rule.destinationPeerId, rule);
    else for (const group of new Set(rule.destinations)) push(rulesByDestination, group, rule);
  }
  const peersById = new Map(account.peers.map((peer) => [peer.id, peer]));
  return { account, peersById, usersById, usersByGroup, peersByGroup, peersByOwner, rulesByDestination };
}

/** The map of one machine, or undefined when the account has no such peer. */
export function compileMap(index: AccountIndex, peerId: PeerId): NetworkMap | undefined {
  const { account } = index;
  const self = index.peersById.get(peerId);
  if (self === undefined) return undefined;
  const rules = new Map<string, MapRule>();
  for (const key of [peerId, ...self.groups]) {
    for (const rule of index.rulesByDestination.get(key) ?? []) rules.set(rule.id, rule);
  }
  const mentioned = mentionedGroups([...rules.values()]);
  const { users, peers } = reach(index, [...rules.values()]);
  const keep = (groups: readonly GroupId[]): GroupId[] =>
    groups.filter((group) => mentioned.has(group)).sort();
  return {
    protocolVersion: account.protocolVersion,
    accountId: account.accountId,
    origin: account.origin,
    epoch: account.epoch,
    version: account.version,
    self: {
      peerId: self.id,
      name: self.name,
      address: self.address,
      groups: [...self.groups].sort(),
      sshEnabled: self.sshEnabled,
    },
    settings: account.settings,
    cas: byKey(account.cas, (ca) => ca.id),
    issuers: [...account.issuers],
    managementKeys: [...account.managementKeys],
    users: byKey(
      [...users].map((user) => ({ ...user, groups: keep(user.groups) })),
      (user) => user.id,
    ),
    peers: byKey(
      [...peers].map((peer) => asSource(peer, keep)),
      (peer) => peer.id,
    ),
    rules: byKey([...rules.values()], (rule) => rule.id),
    revokedLogins: byKey(account.revokedLogins, (login) => login.id),
  };
}

/** Users and peers that `rules` can speak of, and the owners of those peers. */
function reach(
  index: AccountIndex,
  rules: readonly MapRule[],
): { users: Set<MapUser>; peers: Set<AccountPeer> } {
  const users = new Set<MapUser>();
  const peers = new Set<AccountPeer>();
  const addUser = (id: string | null): void => {
    const user = id === null ? undefined : index.usersById.get(id);
    if (user !== undefined) users.add(user);
  };
  for (const rule of rules) {
    for (const group of [...rule.sources, ...rule.sourceDevices, ...Object.keys(rule.authorizedGroups)]) {
      for (const user of index.usersByGroup.get(group) ?? []) users.add(user);
      for (const peer of index.peersByGroup.get(group) ?? []) peers.add(peer);
    }
    const source = rule.sourcePeerId === null ? undefined : index.peersById.get(rule.sourcePeerId);
    if (source !== undefined) peers.add(source);
  }
  for (const peer of peers) addUser(peer.ownerUserId);
  // A person's other devices are known too, so that "not from this device" can be said of them.
  for (const user of users) for (const peer of index.peersByOwner.get(user.id) ?? []) peers.add(peer);
  return { users, peers };
}

function mentionedGroups(rules: readonly MapRule[]): Set<GroupId> {
  const groups = new Set<GroupId>();
  for (const rule of rules) {
    for (const group of [...rule.sources, ...rule.sourceDevices, ...Object.keys(rule.authorizedGroups)])
      groups.add(group);
  }
  return groups;
}

function asSource(peer: AccountPeer, keep: (groups: readonly GroupId[]) => GroupId[]): MapPeer {
  const { sshEnabled: _, ...source } = peer;
  return { ...source, groups: keep(peer.groups), vouchedGroups: keep(peer.vouchedGroups) };
}

function countedGroups(peer: AccountPeer, users: ReadonlyMap<string, MapUser>): Set<GroupId> {
  const groups = new Set([...peer.groups, ...peer.vouchedGroups]);
  const owner = peer.ownerUserId === null || !peer.ownerApproved ? undefined : users.get(peer.ownerUserId);
  for (const group of owner?.groups ?? []) groups.add(group);
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
