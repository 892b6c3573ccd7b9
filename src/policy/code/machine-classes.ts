/**
 * Classes of machines that rules cannot tell apart: the same rules name them in the same direction, and the
 * same is required of grants there.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import { isMutual } from "../decide/snapshot.ts";
import { type AccountPeer, destinationKeys } from "../maps/compile.ts";
import type { MachineFloors } from "./machine-floors.ts";
import type { NumberedRules } from "./numbered-rules.ts";

/** A class, and its first machine as it is before and after the change. */
export interface MachineClass {
  readonly machines: readonly AccountPeer[];
  readonly occurrences: readonly number[];
  readonly before: AccountPeer;
  readonly after: AccountPeer;
}

/**
 * Classes of the machines that a changed rule applies to, or where requirements change.
 *
 * An *occurrence* is a rule in one direction, on the sides that have it, with what is required there. Where
 * requirements change, a rule of both sides has one occurrence for each.
 */
export interface MachineClasses {
  readonly classes: readonly MachineClass[];
  /** The classes that an occurrence applies to. */
  classesOf(occurrence: number): readonly number[];
  /** The occurrences of a rule. */
  occurrencesOf(rule: number): readonly number[];
  ruleOf(occurrence: number): number;
  isBefore(occurrence: number): boolean;
  isAfter(occurrence: number): boolean;
  isChanged(occurrence: number): boolean;
  /** Numbers of the rules that apply to some class. */
  readonly rules: readonly number[];
}

interface Occurrence {
  readonly rule: number;
  readonly isBefore: boolean;
  readonly isAfter: boolean;
}

/** Classifies the active machines in `peers` that a change concerns. */
export function classifyMachines(
  peers: readonly AccountPeer[],
  rules: NumberedRules,
  floors: MachineFloors,
): MachineClasses {
  const byDestination = new Map<string, number[]>();
  rules.rules.forEach((rule, number) => {
    for (const key of destinationKeys(rule)) push(byDestination, key, number);
  });
  const all = createOccurrences(rules, floors);
  const byKey = new Map<string, MachineClass & { readonly machines: AccountPeer[] }>();
  for (const machine of peers) {
    if (machine.kind !== "machine" || machine.status !== "active" || !machine.sshEnabled) continue;
    const here = [machine.id, ...machine.groups].flatMap((key) => byDestination.get(key) ?? []);
    const own = [...new Set(here)].sort((a, b) => a - b);
    const after = floors.afterOf(machine);
    const isKept = floors.keyOf(machine) === floors.keyOf(after);
    if (isKept && !own.some(rules.isChanged)) continue;
    const occurrences = all.at({ machine, after, isKept }, own);
    const key = occurrences.join();
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, { machines: [machine], occurrences, before: machine, after });
    else group.machines.push(machine);
  }
  return classesWith([...byKey.values()], all.list);
}

/** Numbers occurrences as machines are met. */
function createOccurrences(rules: NumberedRules, floors: MachineFloors) {
  const list: Occurrence[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (key: string, occurrence: Occurrence): number => {
    const { isBefore, isAfter } = occurrence;
    const whole = `${key}:${Number(isBefore)}${Number(isAfter)}`;
    const number = numbers.get(whole) ?? list.push(occurrence) - 1;
    numbers.set(whole, number);
    return number;
  };
  return {
    list,
    at(
      { machine, after, isKept }: { machine: AccountPeer; after: AccountPeer; isKept: boolean },
      own: readonly number[],
    ): number[] {
      const [old, now] = [floors.keyOf(machine), floors.keyOf(after)];
      return own.flatMap((rule) => {
        const key = `${rule}:${directionsOf(rules.rules[rule] as MapRule, machine)}`;
        const [isBefore, isAfter] = [rules.isBefore(rule), rules.isAfter(rule)];
        if (isKept) return [numberOf(`${key}:${old}`, { rule, isBefore, isAfter })];
        return [
          ...(isBefore ? [numberOf(`${key}:${old}`, { rule, isBefore, isAfter: false })] : []),
          ...(isAfter ? [numberOf(`${key}:${now}`, { rule, isBefore: false, isAfter })] : []),
        ];
      });
    },
  };
}

function classesWith(classes: readonly MachineClass[], all: readonly Occurrence[]): MachineClasses {
  const classesOf = new Map<number, number[]>();
  classes.forEach(({ occurrences }, i) => {
    for (const occurrence of occurrences) push(classesOf, occurrence, i);
  });
  const ruleOf = (occurrence: number): number => (all[occurrence] as Occurrence).rule;
  const occurrencesOf = Map.groupBy(all.keys(), ruleOf);
  return {
    classes,
    classesOf: (occurrence) => classesOf.get(occurrence) ?? [],
    occurrencesOf: (rule) => occurrencesOf.get(rule) ?? [],
    ruleOf,
    isBefore: (occurrence) => all[occurrence]?.isBefore === true,
    isAfter: (occurrence) => all[occurrence]?.isAfter === true,
    isChanged: (occurrence) => all[occurrence]?.isBefore !== all[occurrence]?.isAfter,
    rules: [...occurrencesOf.keys()],
  };
}

/** Which directions of a bidirectional rule lead here. Any other rule has one direction. */
function directionsOf(rule: MapRule, machine: AccountPeer): string {
  if (!isMutual(rule)) return "";
  const leadsHere = (groups: readonly string[], peerId: string | null): boolean =>
    peerId === null ? groups.some((group) => machine.groups.includes(group)) : peerId === machine.id;
  const isNarrowed =
    rule.sourceDevices.length > 0 && !rule.sourceDevices.some((group) => machine.groups.includes(group));
  return [
    leadsHere(rule.destinations, rule.destinationPeerId),
    leadsHere(rule.sources, rule.sourcePeerId) && !isNarrowed,
  ]
    .map(Number)
    .join("");
}

function push<K>(map: Map<K, number[]>, key: K, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
