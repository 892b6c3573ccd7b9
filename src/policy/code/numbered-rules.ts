/**
 * Numbers for the rules of both sides of a comparison. A rule that is equal on both sides has one number.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import { coversPort, isSshProtocol } from "../decide/snapshot.ts";

/** Rules by number, and which side each is on. */
export interface NumberedRules {
  readonly rules: readonly MapRule[];
  /** Numbers of the rules that only one side has. */
  readonly changed: readonly number[];
  isBefore(number: number): boolean;
  isAfter(number: number): boolean;
  isChanged(number: number): boolean;
}

/** Numbers the rules that affect people's SSH; no other can change an answer. */
export function numberRules(before: readonly MapRule[], after: readonly MapRule[]): NumberedRules {
  const old = new Map(before.filter(speaksOfPeople).map((rule) => [rule.id, rule]));
  const rules: MapRule[] = [];
  const sides: { readonly before: boolean; readonly after: boolean }[] = [];
  const add = (rule: MapRule, isBefore: boolean, isAfter: boolean): void => {
    rules.push(rule);
    sides.push({ before: isBefore, after: isAfter });
  };
  for (const rule of after.filter(speaksOfPeople)) {
    const was = old.get(rule.id);
    const isSame = was !== undefined && isSameRule(was, rule);
    if (isSame) old.delete(rule.id);
    add(rule, isSame, true);
  }
  for (const rule of old.values()) add(rule, true, false);
  return {
    rules,
    changed: sides.flatMap((side, number) => (side.before && side.after ? [] : [number])),
    isBefore: (number) => sides[number]?.before === true,
    isAfter: (number) => sides[number]?.after === true,
    isChanged: (number) => sides[number]?.before !== sides[number]?.after,
  };
}

/** Accept rules of other protocols admit peers, not people; a `drop` of theirs over 22 stops people too. */
function speaksOfPeople(rule: MapRule): boolean {
  if (!rule.enabled) return false;
  const covers = coversPort(rule, 22) || coversPort(rule, 22_022);
  return covers && (rule.action === "drop" || isSshProtocol(rule));
}

/** Whether two rules with one id decide alike. Their policy does not matter. */
function isSameRule(a: MapRule, b: MapRule): boolean {
  if (a === b) return true;
  const { policyId: _, ...one } = a;
  const { policyId: __, ...other } = b;
  return JSON.stringify(one) === JSON.stringify(other);
}
