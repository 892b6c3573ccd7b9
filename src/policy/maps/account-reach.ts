/**
 * The machines that devices can reach, over a whole account: the result of `denialOfNetwork` for every pair,
 * without a map per machine. A property test compares the two.
 *
 * Sets of machines are bit sets, so a rule with a thousand machines costs as much as one with ten. Devices
 * that no rule can tell apart are worked out once. Read `accountReach`.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import type { GroupId, PeerId } from "../../wire/units.ts";
import { closesPath, type NetworkRequest } from "../decide/network-rules.ts";
import { isWithinSchedule, isWithinValidity } from "../decide/schedule.ts";
import { coversPort, isMutual } from "../decide/snapshot.ts";
import { type AccountIndex, type AccountPeer, countedGroups } from "./compile.ts";

/** The parts of an account that determine who reaches whom. */
export interface ReachSource {
  readonly index: AccountIndex;
  /** By their own groups, as rules name them as destinations. */
  readonly peersByOwnGroup: ReadonlyMap<GroupId, Iterable<PeerId>>;
  readonly rules: Iterable<MapRule>;
}

/** Answers about an account at one moment. */
export interface Reach {
  /** Active machines that accept SSH and whose port the peer may reach. Empty for an unknown peer. */
  of(peerId: PeerId): ReadonlySet<PeerId>;
  /** Their number. */
  countOf(peerId: PeerId): number;
}

/** A set of machines: bit n is the nth of them. */
type Machines = Uint32Array;

/** One direction of a rule that holds now, with the machines it leads to. */
interface Path {
  readonly rule: MapRule;
  readonly isReverse: boolean;
  readonly targets: () => Machines;
}

/** Prepares answers for one moment. Cheap to make; each new kind of device takes a step for every rule. */
export function accountReach(source: ReachSource, request: Omit<NetworkRequest, "sourcePeerId">): Reach {
  const { index } = source;
  const targets = createTargets(source);
  const paths = [...source.rules]
    .filter((rule) => holds(rule, request))
    .flatMap((rule): Path[] => [
      { rule, isReverse: false, targets: once(() => targets.ofRule(rule)) },
      ...(isMutual(rule) ? [{ rule, isReverse: true, targets: once(() => targets.backOf(rule)) }] : []),
    ]);
  const reachOf = (device: AccountPeer, groups: DeviceGroups): Machines => {
    const found = targets.none();
    const closed = targets.none();
    for (const path of paths) {
      if (!isSource(path, device, groups)) continue;
      if (path.rule.action === "drop") {
        if (closesPath(path.rule)) addAll(closed, path.targets());
      } else if (path.rule.postureChecks.every((check) => device.posturePassed.includes(check))) {
        addAll(found, path.targets());
      }
    }
    for (let i = 0; i < found.length; i++) found[i] = (found[i] ?? 0) & ~(closed[i] ?? 0);
    return found;
  };
  const ofAlike = createAlikes(paths, reachOf);
  /** With the peer itself. Undefined: it is unknown or not active, and reaches nothing. */
  const reached = (peerId: PeerId): Alike | undefined => {
    const device = index.peersById.get(peerId);
    if (device === undefined || device.status !== "active") return undefined;
    return ofAlike(device, { own: new Set(device.groups), counted: countedGroups(device, index.usersById) });
  };
  return {
    of(peerId) {
      const others = new Set(targets.idsOf(reached(peerId)?.machines ?? targets.none()));
      others.delete(peerId);
      return others;
    },
    countOf(peerId) {
      const alike = reached(peerId);
      return alike === undefined ? 0 : alike.count - (targets.has(alike.machines, peerId) ? 1 : 0);
    },
  };
}

type DeviceGroups = Readonly<Record<"own" | "counted", ReadonlySet<GroupId>>>;

/** What devices reach that are alike to every rule. */
interface Alike {
  readonly machines: Machines;
  readonly count: number;
}

/**
 * Works out only once what devices with the same groups and posture reach: a large account has few such
 * kinds. A device that a rule names is a kind of its own.
 */
function createAlikes(
  paths: readonly Path[],
  reachOf: (device: AccountPeer, groups: DeviceGroups) => Machines,
): (device: AccountPeer, groups: DeviceGroups) => Alike {
  const named = new Set(paths.flatMap(({ rule }) => [rule.sourcePeerId, rule.destinationPeerId]));
  const known = new Map<string, Alike>();
  return (device, groups) => {
    const sets = [groups.own, groups.counted, device.posturePassed].map((set) => [...set].sort().join(" "));
    const key = named.has(device.id) ? device.id : sets.join("/");
    let alike = known.get(key);
    if (alike === undefined) {
      const machines = reachOf(device, groups);
      alike = { machines, count: machines.reduce((count, word) => count + bitsOf(word), 0) };
      known.set(key, alike);
    }
    return alike;
  };
}

function holds(rule: MapRule, { port, nowSeconds }: Omit<NetworkRequest, "sourcePeerId">): boolean {
  return (
    rule.enabled &&
    coversPort(rule, port) &&
    isWithinValidity(rule, nowSeconds) &&
    isWithinSchedule(rule.schedule, nowSeconds)
  );
}

function isSource({ rule, isReverse }: Path, device: AccountPeer, { own, counted }: DeviceGroups): boolean {
  if (isReverse) {
    if (rule.destinationPeerId !== null) return rule.destinationPeerId === device.id;
    return rule.destinations.some((group) => own.has(group));
  }
  const isNamed =
    rule.sourcePeerId === null
      ? rule.sources.some((group) => counted.has(group))
      : rule.sourcePeerId === device.id;
  return isNamed && (rule.sourceDevices.length === 0 || rule.sourceDevices.some((group) => own.has(group)));
}

/** Machines by number, and the sets of them that rules name. */
function createTargets({ index, peersByOwnGroup }: ReachSource) {
  const ids: PeerId[] = [];
  const numbers = new Map<PeerId, number>();
  for (const peer of index.peersById.values()) {
    if (peer.kind !== "machine" || !peer.sshEnabled || peer.status !== "active") continue;
    numbers.set(peer.id, ids.length);
    ids.push(peer.id);
  }
  const none = (): Machines => new Uint32Array(Math.ceil(ids.length / 32));
  const groups = new Map<GroupId, Machines>();
  const setOf = (peerIds: Iterable<PeerId>): Machines => {
    const set = none();
    for (const id of peerIds) {
      const number = numbers.get(id);
      if (number !== undefined) set[number >>> 5] = (set[number >>> 5] ?? 0) | (1 << (number & 31));
    }
    return set;
  };
  const inGroup = (group: GroupId): Machines => {
    const members = groups.get(group) ?? setOf(peersByOwnGroup.get(group) ?? []);
    groups.set(group, members);
    return members;
  };
  const inGroups = (named: readonly GroupId[]): Machines => {
    const set = none();
    for (const group of named) addAll(set, inGroup(group));
    return set;
  };
  return {
    none,
    ofRule: ({ destinationPeerId, destinations }: MapRule): Machines =>
      destinationPeerId === null ? inGroups(destinations) : setOf([destinationPeerId]),
    /** Of the other direction: sources that `sourceDevices` narrows as well. */
    backOf: ({ sourcePeerId, sources, sourceDevices }: MapRule): Machines => {
      const set = sourcePeerId === null ? inGroups(sources) : setOf([sourcePeerId]);
      if (sourceDevices.length === 0) return set;
      const narrowing = inGroups(sourceDevices);
      return set.map((word, i) => word & (narrowing[i] ?? 0));
    },
    has: (set: Machines, peerId: PeerId): boolean => {
      const number = numbers.get(peerId);
      return number !== undefined && ((set[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0;
    },
    idsOf: (set: Machines): ReadonlySet<PeerId> =>
      new Set(ids.filter((_, number) => ((set[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0)),
  };
}

function addAll(set: Machines, more: Machines): void {
  for (let i = 0; i < set.length; i++) set[i] = (set[i] ?? 0) | (more[i] ?? 0);
}

/** How many bits of a 32-bit word are set. */
function bitsOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return (((fours + (fours >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
