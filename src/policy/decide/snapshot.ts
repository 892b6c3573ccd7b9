/**
 * A network map prepared for decisions: groups as small integers, rules as flat records.
 *
 * Pure and immutable: made once per map, used for every decision. `decide.ts` explains the rules.
 *
 * @module
 */
import type { MapApproval, MapPeer, MapRule, MapUser, NetworkMap } from "../../wire/network-map.ts";
import type { EpochSeconds, GroupId, LocalUser, PeerId, RuleId } from "../../wire/units.ts";

/** A rule with its group ids replaced by their numbers in `PolicySnapshot.groupIndex`. */
export interface PreparedRule {
  readonly id: RuleId;
  readonly rule: MapRule;
  readonly enabled: boolean;
  readonly isDrop: boolean;
  readonly isSsh: boolean;
  /** Whether it covers TCP 22 or 22022, by name, by range, or by naming no port. */
  readonly coversSsh: boolean;
  /** Whether this machine is among its destinations. */
  readonly isDestination: boolean;
  /**
   * The reverse direction of a bidirectional rule, with sources and destinations swapped. As with
   * destinations, peers match by their own groups only.
   */
  readonly isReverse: boolean;
  readonly sources: Int32Array;
  readonly sourceDevices: Int32Array;
  /** Groups of machines whose intercepted streams it admits. Empty: none. */
  readonly allowIntercepted: Int32Array;
  /** Groups of `authorizedGroups`, beside `keyLocalUsers` at the same index. Empty: full access. */
  readonly keys: Int32Array;
  /** Indexes into `PolicySnapshot.localUserIndex`; `ANY_LOCAL_USER` among them is `["*"]`. */
  readonly keyLocalUsers: readonly Int32Array[];
}

/** A network map prepared for decisions. Immutable. */
export interface PolicySnapshot {
  readonly map: NetworkMap;
  /** In rule id order, so that order of writing never matters. */
  readonly rules: readonly PreparedRule[];
  readonly ruleIds: readonly RuleId[];
  readonly groupIndex: ReadonlyMap<GroupId, number>;
  /** Every local user any rule lists. `*` is `ANY_LOCAL_USER`. */
  readonly localUserIndex: ReadonlyMap<LocalUser, number>;
  /** Local users listed by any live accept rule: tells "unmapped" from "not yours". */
  readonly mappedLocalUsers: ReadonlySet<number>;
}

/** Index of `*` in every list of local users. No OS user has this name. */
export const ANY_LOCAL_USER = 0;
/** The number of a local user that no rule lists. */
export const UNLISTED_LOCAL_USER = -1;

/** Membership by number of the group: `marks[i] === 1` means in group `i`. */
export type GroupMarks = Uint8Array;

/**
 * The snapshot of `map`. Costs as much as the map is large; a decision then takes as many steps as it has
 * rules.
 */
export function prepareSnapshot(map: NetworkMap): PolicySnapshot {
  const groupIndex = new Map<GroupId, number>();
  const localUserIndex = new Map<LocalUser, number>([["*", ANY_LOCAL_USER]]);
  const rules = Object.values(map.rules)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((rule) => directionsOf(rule, map))
    .map((direction) => prepareRule(direction, map, groupIndex, localUserIndex));
  const mappedLocalUsers = new Set<number>();
  for (const rule of rules) {
    if (!rule.enabled || !rule.isSsh || rule.isDrop || !rule.isDestination) continue;
    for (const names of rule.keyLocalUsers) for (const name of names) mappedLocalUsers.add(name);
  }
  return { map, rules, ruleIds: rules.map((rule) => rule.id), groupIndex, localUserIndex, mappedLocalUsers };
}

interface Direction {
  readonly rule: MapRule;
  readonly isReverse: boolean;
}

/** The rule itself, and reversed if it is bidirectional and this machine is one of its sources. */
function directionsOf(rule: MapRule, map: NetworkMap): Direction[] {
  const forward = { rule, isReverse: false };
  if (!isMutual(rule)) return [forward];
  const turned = {
    ...rule,
    sources: rule.destinations,
    sourcePeerId: rule.destinationPeerId,
    sourceDevices: [],
    destinations: rule.sources,
    destinationPeerId: rule.sourcePeerId,
  };
  const { sourceDevices } = rule;
  const isNarrowed =
    sourceDevices.length > 0 && !sourceDevices.some((group) => map.self.groups.includes(group));
  return isDestination(turned, map) && !isNarrowed ? [forward, { rule: turned, isReverse: true }] : [forward];
}

function prepareRule(
  { rule, isReverse }: Direction,
  map: NetworkMap,
  groupIndex: Map<GroupId, number>,
  localUserIndex: Map<LocalUser, number>,
): PreparedRule {
  const keys = Object.keys(rule.authorizedGroups).sort();
  return {
    id: rule.id,
    rule,
    enabled: rule.enabled,
    isDrop: rule.action === "drop",
    isSsh: isSshProtocol(rule),
    coversSsh: coversPort(rule, 22) || coversPort(rule, 22_022),
    isDestination: isDestination(rule, map),
    isReverse,
    sources: indexesOf(rule.sources, groupIndex),
    sourceDevices: indexesOf(rule.sourceDevices, groupIndex),
    allowIntercepted: indexesOf(rule.allowIntercepted ?? [], groupIndex),
    keys: indexesOf(keys, groupIndex),
    keyLocalUsers: keys.map((key) => indexesOf(rule.authorizedGroups[key] ?? [], localUserIndex)),
  };
}

/** The number of each name; a new name gets the next one. */
function indexesOf(names: readonly string[], index: Map<string, number>): Int32Array {
  return Int32Array.from(names, (name) => {
    const number = index.get(name) ?? index.size;
    index.set(name, number);
    return number;
  });
}

/** Whether `rule` is an SSH rule under either of its names. */
export function isSshProtocol(rule: Pick<MapRule, "protocol">): boolean {
  return rule.protocol === "qufabric-ssh" || rule.protocol === "netbird-ssh";
}

/** Whether `rule` is bidirectional. On SSH rules the field is stored but has no effect. */
export function isMutual(rule: Pick<MapRule, "protocol" | "bidirectional">): boolean {
  return rule.bidirectional && !isSshProtocol(rule);
}

/** Whether `rule` covers TCP `port`. An SSH rule without ports means 22; 22 implies 22022. */
export function coversPort(rule: Pick<MapRule, "protocol" | "ports">, port: number): boolean {
  if (rule.protocol === "udp" || rule.protocol === "icmp") return false;
  if (rule.protocol === "all") return true;
  const wanted = port === 22_022 ? [22, 22_022] : [port];
  if (rule.ports.length === 0) return isSshProtocol(rule) ? wanted.includes(22) : true;
  return rule.ports.some((range) => wanted.some((one) => range.start <= one && one <= range.end));
}

function isDestination(rule: MapRule, map: NetworkMap): boolean {
  if (rule.destinationPeerId !== null) return rule.destinationPeerId === map.self.peerId;
  return rule.destinations.some((group) => map.self.groups.includes(group));
}

/** Marks the groups of a user at `now`: permanent ones, and temporary ones that have not ended. */
export function markUser(snapshot: PolicySnapshot, user: MapUser, now: EpochSeconds): GroupMarks {
  const marks = new Uint8Array(snapshot.groupIndex.size);
  markAll(snapshot, marks, groupsAt(user, now));
  return marks;
}

/** Groups that `user` is in at `now`. */
export function groupsAt({ groups, groupsUntil }: MapUser, now: EpochSeconds): readonly GroupId[] {
  if (groupsUntil === undefined) return groups;
  const live = Object.entries(groupsUntil).flatMap(([group, until]) => (now < until ? [group] : []));
  return [...new Set([...groups, ...live])];
}

/** The first second after `now` in which one of the user's memberships has ended. Null: none is temporary. */
export function nextGroupEnd({ groups, groupsUntil = {} }: MapUser, now: EpochSeconds): EpochSeconds | null {
  const ends = Object.entries(groupsUntil).filter(([group, until]) => now < until && !groups.includes(group));
  return ends.length === 0 ? null : Math.min(...ends.map(([, until]) => until));
}

/** The live approval of this rule for this person, device and local user. Undefined: none. */
export function findApproval(
  { map }: PolicySnapshot,
  about: Omit<MapApproval, "id" | "untilSeconds">,
  now: EpochSeconds,
): MapApproval | undefined {
  return map.self.approvals?.find(
    (one) =>
      one.ruleId === about.ruleId &&
      one.userId === about.userId &&
      one.devicePeerId === about.devicePeerId &&
      one.localUser === about.localUser &&
      now < one.untilSeconds,
  );
}

/**
 * Marks the groups that a device counts as in at `now`: its own, its owner's once approved, and those lent by
 * a vouching machine.
 */
export function markDevice(snapshot: PolicySnapshot, device: MapPeer, now: EpochSeconds): GroupMarks {
  const marks = markOwn(snapshot, device);
  const owner = device.ownerUserId === null ? undefined : snapshot.map.users[device.ownerUserId];
  if (owner !== undefined && device.ownerApproved) markAll(snapshot, marks, groupsAt(owner, now));
  markAll(snapshot, marks, device.vouchedGroups);
  return marks;
}

/** The device's own groups only. */
export function markOwn(snapshot: PolicySnapshot, device: MapPeer): GroupMarks {
  const marks = new Uint8Array(snapshot.groupIndex.size);
  markAll(snapshot, marks, device.groups);
  return marks;
}

function markAll(snapshot: PolicySnapshot, marks: GroupMarks, groups: readonly GroupId[]): void {
  for (const group of groups) {
    const index = snapshot.groupIndex.get(group);
    if (index !== undefined) marks[index] = 1;
  }
}

/** Whether any of `indexes` is marked. */
export function meets(marks: GroupMarks, indexes: Int32Array): boolean {
  for (let i = 0; i < indexes.length; i++) if (marks[indexes[i] as number] === 1) return true;
  return false;
}

/** The peer with this id. Undefined: the map has none. Names such as `__proto__` find nothing. */
export function findPeer(map: NetworkMap, id: PeerId): MapPeer | undefined {
  return Object.hasOwn(map.peers, id) ? map.peers[id] : undefined;
}

/** The user with this id. Undefined: the map has none. Names such as `__proto__` find nothing. */
export function findUser(map: NetworkMap, id: string): MapUser | undefined {
  return Object.hasOwn(map.users, id) ? map.users[id] : undefined;
}

/** The number of a local user; `UNLISTED_LOCAL_USER` when no rule lists it. */
export function localUserNumber(snapshot: PolicySnapshot, localUser: LocalUser): number {
  return snapshot.localUserIndex.get(localUser) ?? UNLISTED_LOCAL_USER;
}

/** Whether a key's list has `number`, or is `["*"]`. */
export function lists(list: Int32Array | undefined, number: number): boolean {
  if (list === undefined) return false;
  for (let i = 0; i < list.length; i++) if (list[i] === number || list[i] === ANY_LOCAL_USER) return true;
  return false;
}
