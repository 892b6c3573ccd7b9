/**
 * The difference that a change makes, of rules or of what groups require: every (person, machine, local user,
 * capability) gained and lost, over accounts of ten thousand people and as many machines.
 *
 * Pairs are not tried one by one. Machines named by the same rules, with the same requirements, form a class,
 * people with equivalent groups and devices form a class, and rules with the same effect are merged. `decide`
 * runs once for each combination of classes that the change concerns. A property test compares the result
 * with trying every pair. Read `differenceOf`.
 *
 * @module
 */
import { BlockMerger } from "./difference-blocks.ts";
import type { DifferenceBlock, DifferenceInput } from "./difference-types.ts";
import { classifyMachines, type MachineClasses } from "./machine-classes.ts";
import { floorsOf } from "./machine-floors.ts";
import { createChanges } from "./meeting-changes.ts";
import { numberRules } from "./numbered-rules.ts";
import { classifyPeople, type PersonClass, peopleOf } from "./person-classes.ts";
import { createRuleAccess, type RuleAccess } from "./rule-access.ts";

/** The difference, in blocks that do not overlap. */
export function differenceOf(input: DifferenceInput): DifferenceBlock[] {
  const rules = numberRules(input.before, input.after);
  const floors = floorsOf(input);
  if (rules.changed.length === 0 && !floors.mayDiffer) return [];
  const machines = classifyMachines(input.machines ?? input.peers, rules, floors);
  if (machines.classes.length === 0) return [];
  const people = classifyPeople(peopleOf(input.users, input.peers), rules, machines);
  const merged = new BlockMerger(machines.classes.length);
  const context = { settings: input.settings, nowSeconds: input.nowSeconds, rules, machines };
  const accessOf = createRuleAccess(context);
  const changes = createChanges(context);
  const meet = createMeetings(machines);
  for (const person of people) {
    for (const { parts, classes } of meet(person, accessOf)) {
      const found = changes.of(parts);
      if (found !== null) merged.add(found, classes);
      else
        for (const one of togetherAt(person, classes, machines))
          merged.add(changes.together(person, one), one.classes);
    }
    merged.flush(person);
  }
  return merged.blocks(machines);
}

/** A set of machine classes at which rules with the same effect concern a person. */
interface Meeting {
  readonly parts: readonly RuleAccess[];
  readonly classes: readonly number[];
}

/**
 * Splits the machine classes with a changed rule by what a person's rules grant there. Each step is one pass,
 * on small integers, over the classes of the rules with one effect.
 */
function createMeetings({
  classes,
  classesOf,
}: MachineClasses): (
  person: PersonClass,
  accessOf: (person: PersonClass, occurrence: number) => RuleAccess,
) => Meeting[] {
  const nodeOf = new Int32Array(classes.length);
  return (person, accessOf) => {
    const paths: RuleAccess[][] = [[]];
    const touched: number[] = [];
    for (const { access, occurrences } of effectsOf(person, accessOf)) {
      const known = paths.length;
      const children = new Int32Array(known);
      for (const occurrence of occurrences) {
        for (const index of classesOf(occurrence)) {
          const node = nodeOf[index] as number;
          // Already placed by another rule with the same effect.
          if (node >= known) continue;
          if (node === 0) {
            if (!access.isChanged) continue;
            touched.push(index);
          }
          if (children[node] === 0)
            children[node] = paths.push([...(paths[node] as RuleAccess[]), access]) - 1;
          nodeOf[index] = children[node] as number;
        }
      }
    }
    const found = new Map<number, number[]>();
    for (const index of touched) {
      const node = nodeOf[index] as number;
      nodeOf[index] = 0;
      const list = found.get(node);
      if (list === undefined) found.set(node, [index]);
      else list.push(index);
    }
    return [...found].map(([node, list]) => ({ parts: paths[node] as RuleAccess[], classes: list }));
  };
}

/** A person's rules grouped by effect, changed ones first. Rules without effect are left out. */
function effectsOf(
  person: PersonClass,
  accessOf: (person: PersonClass, occurrence: number) => RuleAccess,
): { readonly access: RuleAccess; readonly occurrences: number[] }[] {
  const effects = new Map<RuleAccess, number[]>();
  for (const occurrence of person.occurrences) {
    const access = accessOf(person, occurrence);
    if (access.isIdle) continue;
    const list = effects.get(access);
    if (list === undefined) effects.set(access, [occurrence]);
    else list.push(occurrence);
  }
  return [...effects]
    .map(([access, occurrences]) => ({ access, occurrences }))
    .sort((a, b) => Number(b.access.isChanged) - Number(a.access.isChanged) || a.access.id - b.access.id);
}

/** The classes grouped by exactly which rules concern the person there. */
function togetherAt(
  { occurrences }: PersonClass,
  indexes: readonly number[],
  { classes }: MachineClasses,
): { readonly occurrences: readonly number[]; readonly classes: number[] }[] {
  const own = new Set(occurrences);
  const sets = new Map<string, { occurrences: readonly number[]; classes: number[] }>();
  for (const index of indexes) {
    const here = (classes[index]?.occurrences ?? []).filter((occurrence) => own.has(occurrence));
    const set = sets.get(here.join());
    if (set === undefined) sets.set(here.join(), { occurrences: here, classes: [index] });
    else set.classes.push(index);
  }
  return [...sets.values()];
}
