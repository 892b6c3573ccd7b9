/**
 * Classes of machines that rules cannot tell apart: the same rules name them in the same direction.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import { isMutual } from "../decide/snapshot.ts";
import { type AccountPeer, destinationKeys } from "../maps/compile.ts";
import type { NumberedRules } from "./numbered-rules.ts";

/** Classes of the machines that a changed rule applies to. An *occurrence* is a rule in one direction. */
export interface MachineClasses {
  readonly classes: readonly {
    readonly machines: readonly AccountPeer[];
    readonly occurrences: readonly number[];
  }[];
  /** The classes that an occurrence applies to. */
  classesOf(occurrence: number): readonly number[];
  /** The occurrences of a rule. */
  occurrencesOf(rule: number): readonly number[];
  ruleOf(occurrence: number): number;
  isChanged(occurrence: number): boolean;
  /** Numbers of the rules that apply to some class. */
  readonly rules: readonly number[];
}

/** Classifies the active machines in `peers` that a changed rule names. */
export function classifyMachines(peers: readonly AccountPeer[], rules: NumberedRules): MachineClasses {
  const byDestination = new Map<string, number[]>();
  rules.rules.forEach((rule, number) => {
    for (const key of destinationKeys(rule)) push(byDestination, key, number);
  });
  const numbers = new Map<string, number>();
  const ruleOf: number[] = [];
  const byKey = new Map<string, { machines: AccountPeer[]; occurrences: readonly number[] }>();
  for (const machine of peers) {
    if (machine.kind !== "machine" || machine.status !== "active" || !machine.sshEnabled) continue;
    const here = [machine.id, ...machine.groups].flatMap((key) => byDestination.get(key) ?? []);
    const own = [...new Set(here)].sort((a, b) => a - b);
    if (!own.some(rules.isChanged)) continue;
    const occurrences = own.map((rule) => {
      const key = `${rule}:${directionsOf(rules.rules[rule] as MapRule, machine)}`;
      const number = numbers.get(key) ?? ruleOf.push(rule) - 1;
      numbers.set(key, number);
      return number;
    });
    const key = occurrences.join();
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, { machines: [machine], occurrences });
    else group.machines.push(machine);
  }
  const classes = [...byKey.values()];
  const classesOf = new Map<number, number[]>();
  classes.forEach(({ occurrences }, i) => {
    for (const occurrence of occurrences) push(classesOf, occurrence, i);
  });
  const occurrencesOf = Map.groupBy(ruleOf.keys(), (occurrence) => ruleOf[occurrence] as number);
  return {
    classes,
    classesOf: (occurrence) => classesOf.get(occurrence) ?? [],
    occurrencesOf: (rule) => occurrencesOf.get(rule) ?? [],
    ruleOf: (occurrence) => ruleOf[occurrence] as number,
    isChanged: (occurrence) => rules.isChanged(ruleOf[occurrence] as number),
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
