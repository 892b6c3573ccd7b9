/**
 * Changes for a person at a set of rules, by what each rule grants alone.
 *
 * Accept rules only add access, so several rules grant the union of what each grants. `decide` is therefore
 * asked once per rule and class of person, and the answers are combined as bits. Rules are asked about
 * together where this does not hold: when one is a `drop`, or when sftp depends on which of two grants wins.
 *
 * @module
 */
import type { MapRule } from "../../wire/network-map.ts";
import { accessOf, prepareAccess, probesOf, sortWords } from "./access.ts";
import type { ChangeContext, LocalUserChange } from "./difference-types.ts";
import type { MachineClass } from "./machine-classes.ts";
import { type Person, type PersonClass, signatureOf } from "./person-classes.ts";
import { type RuleAccess, WORDS } from "./rule-access.ts";

/** Changes of a comparison. Equal answers are the same object. */
export interface Changes {
  /** What changes where rules with these effects apply. Null: the rules must be asked about together. */
  of(parts: readonly RuleAccess[]): readonly LocalUserChange[] | null;
  /** What changes for a person where exactly these rules apply. */
  together(
    person: PersonClass,
    at: { readonly occurrences: readonly number[]; readonly classes: readonly number[] },
  ): readonly LocalUserChange[];
}

const NONE: readonly LocalUserChange[] = [];
const SFTP = 1 << WORDS.indexOf("sftp");
const SFTP_WRITE = 1 << WORDS.indexOf("sftp_write");

/** Answers, each computed once. */
export function createChanges(context: ChangeContext): Changes {
  const { rules, machines } = context;
  const canonical = new Map<string, readonly LocalUserChange[]>();
  const intern = (changes: readonly LocalUserChange[]): readonly LocalUserChange[] => {
    if (changes.length === 0) return NONE;
    const text = JSON.stringify(changes);
    const known = canonical.get(text) ?? changes;
    canonical.set(text, known);
    return known;
  };
  const byParts = new Map<string, readonly LocalUserChange[] | null>();
  const byRules = new Map<string, readonly LocalUserChange[]>();
  const scopes = new Map<string, readonly MapRule[]>();
  return {
    of(parts) {
      const key = parts.map(({ id }) => id).join();
      const known = byParts.get(key);
      if (known !== undefined) return known;
      const changes = changesOf(parts);
      const answer = changes === null ? null : intern(changes);
      byParts.set(key, answer);
      return answer;
    },
    together({ person }, { occurrences, classes }) {
      const joined = occurrences.join();
      const numbers = [...new Set(occurrences.map(machines.ruleOf))];
      const scope = scopes.get(joined) ?? numbers.map((number) => rules.rules[number] as MapRule);
      scopes.set(joined, scope);
      const key = `${joined}#${signatureOf(person, scope)}`;
      const known = byRules.get(key);
      if (known !== undefined) return known;
      const at = machines.classes[classes[0] ?? 0] as MachineClass;
      const answer = intern(compare(context, person, at, occurrences));
      byRules.set(key, answer);
      return answer;
    },
  };
}

function changesOf(parts: readonly RuleAccess[]): LocalUserChange[] | null {
  if (parts.some(({ isAlone }) => !isAlone)) return null;
  const before = parts.filter(({ isBefore }) => isBefore);
  const after = parts.filter(({ isAfter }) => isAfter);
  const localUsers = [...new Set(parts.flatMap((part) => part.localUsers))];
  if ([before, after].some((side) => isSftpOpen(side, localUsers))) return null;
  const details = [...new Set(parts.flatMap((part) => part.details))];
  return collapse(localUsers.map((localUser) => changeOf(localUser, before, after, details)));
}

function maskOf(side: readonly RuleAccess[], localUser: string): number {
  let mask = 0;
  for (const part of side) mask |= part.maskOf(localUser);
  return mask;
}

/**
 * Whether one rule grants sftp for writing and another for reading, so that only `decide` knows which wins.
 */
function isSftpOpen(side: readonly RuleAccess[], localUsers: readonly string[]): boolean {
  if (side.length < 2) return false;
  return localUsers.some((localUser) => {
    const granting = side.map((part) => part.maskOf(localUser)).filter((mask) => (mask & SFTP) !== 0);
    return granting.some((mask) => (mask & SFTP_WRITE) !== ((granting[0] ?? 0) & SFTP_WRITE));
  });
}

function changeOf(
  localUser: string,
  before: readonly RuleAccess[],
  after: readonly RuleAccess[],
  details: readonly string[],
): LocalUserChange {
  const wordsOf = (side: readonly RuleAccess[]): Set<string> => {
    const mask = maskOf(side, localUser);
    return new Set([
      ...WORDS.filter((_, bit) => (mask & (1 << bit)) !== 0),
      ...details.filter((word) => side.some((part) => part.allows(localUser, word))),
    ]);
  };
  return between(localUser, wordsOf(before), wordsOf(after));
}

function between(localUser: string, old: ReadonlySet<string>, now: ReadonlySet<string>): LocalUserChange {
  return {
    localUser,
    gained: sortWords([...now].filter((word) => !old.has(word))),
    lost: sortWords([...old].filter((word) => !now.has(word))),
  };
}

/** The rules asked about together. */
function compare(
  { settings, nowSeconds, rules, machines }: ChangeContext,
  { user, devices, sources }: Person,
  at: MachineClass,
  occurrences: readonly number[],
): LocalUserChange[] {
  const scene = { settings, users: [user], peers: [...devices, ...sources], nowSeconds };
  const rulesOn = (isOn: (occurrence: number) => boolean): MapRule[] =>
    occurrences.filter(isOn).map((occurrence) => rules.rules[machines.ruleOf(occurrence)] as MapRule);
  const sides = [
    { machine: at.before, rules: rulesOn(machines.isBefore) },
    { machine: at.after, rules: rulesOn(machines.isAfter) },
  ];
  const probes = probesOf(sides.flatMap((side) => side.rules));
  const [before, after] = sides.map((side) =>
    accessOf(prepareAccess({ ...scene, ...side }), user, devices, probes),
  );
  return collapse(
    probes.localUsers.map((localUser) =>
      between(localUser, before?.get(localUser) ?? new Set(), after?.get(localUser) ?? new Set()),
    ),
  );
}

/**
 * Drops changes that equal `*`. A local user without a change stays, with nothing gained or lost, if `*` has
 * one.
 */
function collapse(changes: readonly LocalUserChange[]): LocalUserChange[] {
  const isSame = (a: LocalUserChange, b: LocalUserChange): boolean =>
    a.gained.join("\n") === b.gained.join("\n") && a.lost.join("\n") === b.lost.join("\n");
  const any = changes.find(({ localUser }) => localUser === "*") ?? { localUser: "*", gained: [], lost: [] };
  const others = changes.filter((change) => change !== any && !isSame(change, any));
  const isEmpty = any.gained.length + any.lost.length === 0;
  return [...(isEmpty ? [] : [any]), ...others].sort((a, b) => (a.localUser < b.localUser ? -1 : 1));
}
