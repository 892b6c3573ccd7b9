/**
 * Effects of single rules: what one rule alone grants a class of people, from one run of `decide`, as bits.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import {
  type AccessSide,
  accessOf,
  CONDITION_WORDS,
  PLAIN_WORDS,
  prepareAccess,
  probeOfWord,
  probesOf,
} from "./access.ts";
import type { ChangeContext } from "./difference-types.ts";
import type { MachineClass } from "./machine-classes.ts";
import { type Person, type PersonClass, signatureOf } from "./person-classes.ts";

/** Words asked about for every rule, by bit. */
export const WORDS: readonly string[] = [...PLAIN_WORDS, ...CONDITION_WORDS];

/** The effect of a rule on a class of people. Equal effects are the same object. */
export interface RuleAccess {
  readonly id: number;
  readonly isBefore: boolean;
  readonly isAfter: boolean;
  /** Whether only one side has it. */
  readonly isChanged: boolean;
  /** False: its effect depends on other rules. */
  readonly isAlone: boolean;
  /** Whether it grants this person nothing. */
  readonly isIdle: boolean;
  /** The local users it names, and `*`. */
  readonly localUsers: readonly string[];
  /** Words about entries of its lists, such as `exec /bin/true`. */
  readonly details: readonly string[];
  /** Bits of `WORDS` that hold for this local user, named or not. */
  maskOf(localUser: string): number;
  /** Whether the rule allows what a word of another rule's details asks. */
  allows(localUser: string, detail: string): boolean;
}

/** Computes effects for a person and an occurrence of a rule. */
export function createRuleAccess({
  rules,
  machines,
  settings,
  nowSeconds,
}: ChangeContext): (person: PersonClass, occurrence: number) => RuleAccess {
  const kinds = new Map<string, RuleAccess>();
  const effects = new Map<string, RuleAccess>();
  const scopes = rules.rules.map((rule) => [rule]);
  const ask = (person: Person, occurrence: number, number: number): RuleAccess => {
    const scope = scopes[number] as MapRule[];
    const sides = { isBefore: machines.isBefore(occurrence), isAfter: machines.isAfter(occurrence) };
    const at = machines.classes[machines.classesOf(occurrence)[0] ?? 0] as MachineClass;
    const machine = sides.isBefore ? at.before : at.after;
    const { user, devices, sources } = person;
    const peers = [...devices, ...sources];
    const side = prepareAccess({ machine, rules: scope, settings, users: [user], peers, nowSeconds });
    const access = ruleAccess(effects.size, scope, side, person, sides);
    const text = access.isAlone ? access.text : `${access.text} ${occurrence} ${kinds.size}`;
    const known = effects.get(text) ?? access;
    effects.set(text, known);
    return known;
  };
  return ({ person }, occurrence) => {
    const number = machines.ruleOf(occurrence);
    const key = `${occurrence}#${signatureOf(person, scopes[number] as MapRule[])}`;
    const known = kinds.get(key) ?? ask(person, occurrence, number);
    kinds.set(key, known);
    return known;
  };
}

function ruleAccess(
  id: number,
  scope: readonly MapRule[],
  side: AccessSide,
  { user, devices }: Person,
  sides: Pick<RuleAccess, "isBefore" | "isAfter">,
): RuleAccess & { readonly text: string } {
  const probes = probesOf(scope);
  const access = accessOf(side, user, devices, probes);
  const masks = new Map(
    [...access].map(([localUser, words]) => [
      localUser,
      WORDS.reduce((mask, word, bit) => (words.has(word) ? mask | (1 << bit) : mask), 0),
    ]),
  );
  const details = probes.actions.map(({ word }) => word).filter((word) => word.includes(" "));
  const isAlone = scope.every(({ action }) => action === "accept");
  const answers = new Map<string, boolean>();
  return {
    ...{ id, ...sides, isChanged: sides.isBefore !== sides.isAfter, isAlone, details },
    isIdle: isAlone && masks.size === 0,
    localUsers: probes.localUsers,
    text: JSON.stringify([sides, [...masks].sort(), capabilityText(scope, details)]),
    maskOf: (localUser) => masks.get(localUser) ?? masks.get("*") ?? 0,
    allows(localUser, detail) {
      const as = masks.has(localUser) ? localUser : "*";
      const key = `${as}\n${detail}`;
      const known = answers.get(key);
      if (known !== undefined) return known;
      const asked = { localUsers: [as], actions: [probeOfWord(detail)].filter((probe) => probe !== null) };
      const answer = accessOf(side, user, devices, asked).get(as)?.has(detail) === true;
      answers.set(key, answer);
      return answer;
    },
  };
}

/**
 * For a rule with lists, its capabilities decide what it allows of other rules' entries. Any other has only
 * its words.
 */
function capabilityText(scope: readonly MapRule[], details: readonly string[]): unknown {
  return details.length === 0 ? null : scope.map(({ capabilities }) => capabilities);
}
