/**
 * Classes of people that rules cannot tell apart: by their groups, devices, and peers that rules name.
 *
 * @module
 */
import type { MapRule, MapUser } from "../../wire/network-map.ts";
import { type AccountPeer, countedGroups, sourceGroups, sourcePeers } from "../maps/compile.ts";
import type { MachineClasses } from "./machine-classes.ts";
import type { NumberedRules } from "./numbered-rules.ts";

/** A person with everything that decisions about them read. */
export interface Person {
  readonly user: MapUser;
  /** Their own devices. */
  readonly devices: readonly AccountPeer[];
  /** The person's other peers: a rule with one as its source concerns its owner. */
  readonly sources: readonly AccountPeer[];
}

/** People that no rule of the comparison tells apart. */
export interface PersonClass {
  readonly users: readonly string[];
  /** A representative. */
  readonly person: Person;
  /** Occurrences of rules that may concern them. */
  readonly occurrences: readonly number[];
}

/** Each user with their peers. */
export function peopleOf(users: readonly MapUser[], peers: readonly AccountPeer[]): Person[] {
  const own = new Map<string, AccountPeer[]>();
  for (const peer of peers) {
    if (peer.ownerUserId === null) continue;
    const list = own.get(peer.ownerUserId);
    if (list === undefined) own.set(peer.ownerUserId, [peer]);
    else list.push(peer);
  }
  return users.map((user) => {
    const all = own.get(user.id) ?? [];
    return {
      user,
      devices: all.filter(({ kind }) => kind === "device"),
      sources: all.filter(({ kind }) => kind !== "device"),
    };
  });
}

/** Classifies the active `people` whom a changed rule may concern. */
export function classifyPeople(
  people: readonly Person[],
  { rules }: NumberedRules,
  machines: MachineClasses,
): PersonClass[] {
  const byGroup = new Map<string, number[]>();
  const scope = machines.rules.map((number) => rules[number] as MapRule);
  machines.rules.forEach((number) => {
    const rule = rules[number] as MapRule;
    for (const key of [...sourceGroups(rule), ...sourcePeers(rule)]) {
      const list = byGroup.get(key);
      if (list === undefined) byGroup.set(key, [number]);
      else list.push(number);
    }
  });
  const mentioned = mentionsOf(scope);
  const classes = new Map<string, { users: string[]; person: Person; occurrences: number[] }>();
  for (const person of people) {
    if (person.user.status !== "active") continue;
    const key = signatureBy(person, mentioned);
    const known = classes.get(key);
    if (known !== undefined) {
      known.users.push(person.user.id);
      continue;
    }
    const numbers = new Set(keysOf(person).flatMap((one) => byGroup.get(one) ?? []));
    const occurrences = [...numbers].flatMap((number) => machines.occurrencesOf(number));
    classes.set(key, { users: [person.user.id], person, occurrences });
  }
  return [...classes.values()].filter(({ occurrences }) => occurrences.some(machines.isChanged));
}

/** Every group and peer through which a rule can name this person. */
function keysOf({ user, devices, sources }: Person): string[] {
  const users = new Map([[user.id, user]]);
  return [
    ...new Set([
      ...user.groups,
      ...devices.flatMap((device) => [...countedGroups(device, users)]),
      ...[...devices, ...sources].map(({ id }) => id),
    ]),
  ];
}

interface Mentions {
  readonly groups: ReadonlySet<string>;
  readonly peers: ReadonlySet<string>;
  readonly checks: ReadonlySet<string>;
}

const mentions = new WeakMap<readonly MapRule[], Mentions>();

/** A key for `rules`: two people with the same key get the same answers from all of them. */
export function signatureOf(person: Person, rules: readonly MapRule[]): string {
  const known = mentions.get(rules) ?? mentionsOf(rules);
  mentions.set(rules, known);
  return signatureBy(person, known);
}

function mentionsOf(rules: readonly MapRule[]): Mentions {
  return {
    groups: new Set(rules.flatMap(sourceGroups)),
    peers: new Set(rules.flatMap(sourcePeers)),
    checks: new Set(rules.flatMap(({ postureChecks }) => postureChecks)),
  };
}

function signatureBy({ user, devices, sources }: Person, { groups, peers, checks }: Mentions): string {
  const users = new Map([[user.id, user]]);
  const known = (list: Iterable<string>): string =>
    [...new Set(list)]
      .filter((group) => groups.has(group))
      .sort()
      .join();
  const signatures = devices.map((device) =>
    [
      device.status,
      device.isBrowser === true ? "browser" : "",
      known(device.groups),
      known(countedGroups(device, users)),
      device.posturePassed
        .filter((check) => checks.has(check))
        .sort()
        .join(),
      peers.has(device.id) ? device.id : "",
    ].join("/"),
  );
  const named = sources.filter(({ id }) => peers.has(id)).map(({ id }) => id);
  return [user.status, known(user.groups), ...[...new Set(signatures)].sort(), named.sort().join()].join(" ");
}
