/**
 * An account followed change by change, and its machines' maps made from shared parts.
 *
 * A map consists of a part common to all machines, the machine itself, and the *scope* of its rules: users,
 * peers and rules. Machines in the same destination groups share one scope, and unchanged entries stay the
 * same objects, so work and memory depend on what changed and not on the number of machines. `compileMap`
 * defines a map; a property test compares the two. Read `apply`. No I/O here.
 *
 * @module
 */

import type { MapRule, MapUser, NetworkMap } from "../../wire/network-map.ts";
import type { GroupId, PeerId } from "../../wire/units.ts";
import { type AccountChange, changed, isSameSource } from "./account-change.ts";
import type { ReachSource } from "./account-reach.ts";
import {
  type AccountIndex,
  type AccountPeer,
  assembleMap,
  countedGroups,
  destinationKeys,
  everyGroup,
  type MapCommon,
  type MapScope,
  rulesFor,
  scopeOf,
  sourceGroups,
  sourcePeers,
} from "./compile.ts";
import { KeyIndex } from "./key-index.ts";
import { isSame } from "./map-delta.ts";
import { sharedNarrowing, sharing } from "./shared-parts.ts";

/** A scope, with the machines it serves and what it depends on. */
interface SharedScope {
  readonly key: string;
  /** The groups and peer id of its machines that rules name as destinations. */
  readonly destinations: readonly string[];
  readonly rules: readonly MapRule[];
  readonly members: Set<PeerId>;
  parts: MapScope;
}

/** An account followed change by change, from which any machine's map can be compiled. */
export class AccountView {
  #common: MapCommon;
  readonly #users = new Map<string, MapUser>();
  readonly #peers = new Map<PeerId, AccountPeer>();
  readonly #rules = new Map<string, MapRule>();
  readonly #usersByGroup = new KeyIndex<MapUser>();
  readonly #peersByGroup = new KeyIndex<AccountPeer>();
  readonly #peersByOwner = new KeyIndex<AccountPeer>();
  /** By own groups, as rules name them as destinations. */
  readonly #peersByOwnGroup = new KeyIndex<PeerId>();
  readonly #rulesByDestination = new KeyIndex<MapRule>();
  /** By source group or source peer. */
  readonly #rulesBySource = new KeyIndex<string>();
  readonly #scopes = new Map<string, SharedScope>();
  readonly #scopesByDestination = new KeyIndex<SharedScope>();
  readonly #scopesByRule = new KeyIndex<SharedScope>();
  readonly #scopeOfPeer = new Map<PeerId, SharedScope>();
  readonly #index: AccountIndex;
  readonly #narrowing = sharedNarrowing();

  /** An empty account. */
  constructor(common: MapCommon) {
    this.#common = common;
    this.#index = {
      peersById: this.#peers,
      usersById: this.#users,
      usersByGroup: this.#usersByGroup.sets,
      peersByGroup: this.#peersByGroup.sets,
      peersByOwner: this.#peersByOwner.sets,
      rulesByDestination: this.#rulesByDestination.sets,
    };
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  ids(): { users: Iterable<string>; peers: Iterable<PeerId>; rules: Iterable<string> } {
    return { users: this.#users.keys(), peers: this.#peers.keys(), rules: this.#rules.keys() };
  }

  /** Rules of these policies. */
  rulesOf(policyIds: ReadonlySet<string>): string[] {
    return [...this.#rules.values()].flatMap((rule) => (policyIds.has(rule.policyId) ? [rule.id] : []));
  }

  /** The peer's own groups. */
  groupsOf(peerId: PeerId): readonly GroupId[] {
    return this.#peers.get(peerId)?.groups ?? [];
  }

  /** Peers that may be in maps because of these users and peers: themselves, owners, and owners' devices. */
  kinOf(userIds: Iterable<string>, peerIds: Iterable<PeerId>): { users: Set<string>; peers: Set<PeerId> } {
    const users = new Set(userIds);
    const peers = new Set(peerIds);
    for (const peerId of peers) {
      const owner = this.#peers.get(peerId)?.ownerUserId;
      if (owner !== undefined && owner !== null) users.add(owner);
    }
    for (const user of users) for (const peer of this.#peersByOwner.of(user)) peers.add(peer.id);
    return { users, peers };
  }

  /** The map of one machine at `version`. Undefined: no such peer. Its parts are shared. */
  compile(peerId: PeerId, version: number): NetworkMap | undefined {
    const self = this.#peers.get(peerId);
    if (self === undefined) return undefined;
    return assembleMap(this.#common, self, this.#scope(self).parts, version);
  }

  /** The current data that determines who reaches whom. */
  get reachSource(): ReachSource {
    return { index: this.#index, peersByOwnGroup: this.#peersByOwnGroup.sets, rules: this.#rules.values() };
  }

  /** Drops this peer's map, which is no longer needed. */
  forget(peerId: PeerId): void {
    const scope = this.#scopeOfPeer.get(peerId);
    if (scope === undefined) return;
    this.#scopeOfPeer.delete(peerId);
    scope.members.delete(peerId);
    if (scope.members.size === 0) this.#dropScope(scope);
  }

  /**
   * Applies a change. Returns the peers whose compiled maps may have changed; "all" when the common part
   * changed.
   */
  apply(change: AccountChange): ReadonlySet<PeerId> | "all" {
    const affected = new Set<PeerId>();
    const users = changed(this.#users, change.users, isSame);
    const peers = changed(this.#peers, change.peers, isSame);
    const rules = changed(this.#rules, change.rules, isSame);
    // Peers that changed as sources: `sshEnabled` concerns only the machine itself.
    const sources = changed(this.#peers, peers, isSameSource);
    const touched = new Set<string>();
    this.#noteTouched(touched, users, sources);
    this.#changePeople(users, peers);
    this.#noteTouched(touched, users, sources);
    for (const peerId of peers.keys()) {
      affected.add(peerId);
      this.forget(peerId);
    }
    this.#changeRules(rules, affected);
    this.#renewReaches(touched, affected);
    const wasSame = isSame(this.#common, change.common);
    if (wasSame) return affected;
    // Parts that are the same stay the same objects.
    const common: Record<string, unknown> = { ...change.common };
    for (const [name, value] of Object.entries(this.#common)) {
      if (isSame(value, common[name])) common[name] = value;
    }
    this.#common = common as unknown as MapCommon;
    return "all";
  }

  /** Records the groups and peers through which these may currently be in a scope. */
  #noteTouched(
    touched: Set<string>,
    users: ReadonlyMap<string, unknown>,
    peers: ReadonlyMap<PeerId, unknown>,
  ): void {
    const kin = this.kinOf(users.keys(), peers.keys());
    for (const id of kin.users) {
      const user = this.#users.get(id);
      if (user !== undefined) for (const group of everyGroup(user)) touched.add(group);
    }
    for (const id of kin.peers) {
      touched.add(id);
      const peer = this.#peers.get(id);
      if (peer !== undefined) for (const group of countedGroups(peer, this.#users)) touched.add(group);
    }
  }

  #changePeople(
    users: ReadonlyMap<string, MapUser | null>,
    peers: ReadonlyMap<PeerId, AccountPeer | null>,
  ): void {
    // A person's devices count as in that person's groups, so they are reindexed with the person.
    const devices = new Set<PeerId>();
    for (const user of users.keys()) for (const peer of this.#peersByOwner.of(user)) devices.add(peer.id);
    for (const id of peers.keys()) devices.add(id);
    for (const id of devices) this.#indexPeer(id, "delete");
    for (const [id, user] of users) {
      const old = this.#users.get(id);
      if (old !== undefined) for (const group of everyGroup(old)) this.#usersByGroup.delete(group, old);
      put(this.#users, id, user);
      if (user !== null) for (const group of everyGroup(user)) this.#usersByGroup.add(group, user);
    }
    for (const [id, peer] of peers) put(this.#peers, id, peer);
    for (const id of devices) this.#indexPeer(id, "add");
  }

  #indexPeer(id: PeerId, how: "add" | "delete"): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    for (const group of countedGroups(peer, this.#users)) this.#peersByGroup[how](group, peer);
    for (const group of peer.groups) this.#peersByOwnGroup[how](group, id);
    if (peer.ownerUserId !== null) this.#peersByOwner[how](peer.ownerUserId, peer);
  }

  #changeRules(rules: ReadonlyMap<string, MapRule | null>, affected: Set<PeerId>): void {
    const destinations = new Set<string>();
    for (const [id, rule] of rules) {
      const old = this.#rules.get(id);
      for (const one of [old, rule]) {
        if (one !== undefined && one !== null) for (const key of destinationKeys(one)) destinations.add(key);
      }
      if (old !== undefined) this.#indexRule(old, "delete");
      put(this.#rules, id, rule);
      if (rule !== null) this.#indexRule(rule, "add");
    }
    for (const key of destinations) {
      for (const scope of [...this.#scopesByDestination.of(key)]) this.#dropScope(scope, affected);
      // No rule named this group before, so no scope lists it.
      for (const peerId of [key, ...this.#peersByOwnGroup.of(key)]) {
        if (!this.#scopeOfPeer.has(peerId)) continue;
        affected.add(peerId);
        this.forget(peerId);
      }
    }
  }

  #indexRule(rule: MapRule, how: "add" | "delete"): void {
    for (const key of destinationKeys(rule)) this.#rulesByDestination[how](key, rule);
    for (const key of sourceKeys(rule)) this.#rulesBySource[how](key, rule.id);
  }

  /** Rebuilds every scope that may contain what was touched. Unchanged ones stay. */
  #renewReaches(touched: ReadonlySet<string>, affected: Set<PeerId>): void {
    const stale = new Set<SharedScope>();
    for (const key of touched) {
      for (const ruleId of this.#rulesBySource.of(key)) {
        for (const scope of this.#scopesByRule.of(ruleId)) stale.add(scope);
      }
    }
    for (const scope of stale) {
      const parts = sharing(scope.parts, scopeOf(this.#index, scope.rules, this.#narrowing));
      if (parts === scope.parts) continue;
      scope.parts = parts;
      for (const peerId of scope.members) affected.add(peerId);
    }
  }

  #scope(self: AccountPeer): SharedScope {
    const present = this.#scopeOfPeer.get(self.id);
    if (present !== undefined) return present;
    const named = self.status === "active" ? [self.id, ...self.groups] : [];
    const destinations = named.filter((key) => this.#rulesByDestination.of(key).size > 0).sort();
    const key = destinations.join(" ");
    const scope = this.#scopes.get(key) ?? this.#addScope(key, destinations, self);
    scope.members.add(self.id);
    this.#scopeOfPeer.set(self.id, scope);
    return scope;
  }

  #addScope(key: string, destinations: readonly string[], self: AccountPeer): SharedScope {
    const rules = rulesFor(this.#index, self);
    const parts = scopeOf(this.#index, rules, this.#narrowing);
    const scope: SharedScope = { key, destinations, rules, members: new Set(), parts };
    this.#scopes.set(key, scope);
    for (const one of destinations) this.#scopesByDestination.add(one, scope);
    for (const rule of rules) this.#scopesByRule.add(rule.id, scope);
    return scope;
  }

  #dropScope(scope: SharedScope, affected?: Set<PeerId>): void {
    this.#scopes.delete(scope.key);
    for (const one of scope.destinations) this.#scopesByDestination.delete(one, scope);
    for (const rule of scope.rules) this.#scopesByRule.delete(rule.id, scope);
    for (const peerId of scope.members) {
      affected?.add(peerId);
      this.#scopeOfPeer.delete(peerId);
    }
  }
}

function put<V>(map: Map<string, V>, id: string, value: V | null): void {
  if (value === null) map.delete(id);
  else map.set(id, value);
}

function sourceKeys(rule: MapRule): Set<string> {
  return new Set([...sourceGroups(rule), ...sourcePeers(rule)]);
}
