/**
 * Merges the user's edit with what others saved meanwhile, rule by rule. A rule that only one side changed is
 * taken from that side; a rule that both changed is a conflict.
 *
 * @module
 */
import { type DraftRule, type FilePolicy, type FileRule, isSame, type PolicyDraft } from "./policy-draft.ts";

export interface RuleConflict {
  readonly key: string;
  /** Null if the user's edit deleted it. */
  readonly mine: FileRule | null;
  /** Null if others deleted it. */
  readonly theirs: FileRule | null;
}

export interface Merge {
  /** The edit on top of the newer policy. Every conflict is settled in the user's favour. */
  readonly draft: PolicyDraft;
  readonly conflicts: readonly RuleConflict[];
}

/** `theirs` is the policy as it is now. */
export function mergePolicy(draft: PolicyDraft, theirs: FilePolicy): Merge {
  const base = draft.base?.rules ?? [];
  const match = matchRules(base, theirs.rules);
  const mineByKey = new Map(draft.rules.map((one) => [one.key, one.rule]));
  const conflicts: RuleConflict[] = [];
  const settled = new Map<string, FileRule | null>();
  for (const [i, old] of base.entries()) {
    const key = `b${i}`;
    const mine = mineByKey.get(key) ?? null;
    const at = match.get(i);
    const other = at === undefined ? null : (theirs.rules[at] ?? null);
    const isMineChanged = !isSame(mine, old);
    if (isMineChanged && !isSame(other, old) && !isSame(mine, other))
      conflicts.push({ key, mine, theirs: other });
    settled.set(key, isMineChanged ? mine : other);
  }
  return { draft: mergedDraft(draft, theirs, { match, settled, conflicts }), conflicts };
}

interface Settled {
  readonly match: ReadonlyMap<number, number>;
  readonly settled: ReadonlyMap<string, FileRule | null>;
  readonly conflicts: readonly RuleConflict[];
}

/** Rules in the user's order, followed by those that others added. */
function mergedDraft(draft: PolicyDraft, theirs: FilePolicy, { match, settled }: Settled): PolicyDraft {
  const keyOf = new Map<string, string>([...match].map(([i, at]) => [`b${i}`, `b${at}`]));
  const old = draft.base?.rules ?? [];
  let { nextKey } = draft;
  const rules: DraftRule[] = draft.rules.flatMap(({ key, rule }) => {
    const kept = key.startsWith("b") ? (settled.get(key) ?? null) : rule;
    if (kept === null) return [];
    return [{ key: key.startsWith("b") ? (keyOf.get(key) ?? `n${nextKey++}`) : key, rule: kept }];
  });
  const known = new Set(match.values());
  const added = theirs.rules.flatMap((rule, at) => (known.has(at) ? [] : [{ key: `b${at}`, rule }]));
  const { rules: _, ...theirFields } = theirs;
  const { rules: __, ...baseFields } = draft.base ?? { rules: old };
  return {
    base: theirs,
    fields: isSame(draft.fields, baseFields) ? theirFields : draft.fields,
    rules: [...rules, ...added],
    nextKey,
  };
}

/**
 * Maps rules of `base` to their index in `theirs`: by equal content, else by name, else, if the lengths are
 * equal, by position.
 */
function matchRules(base: readonly FileRule[], theirs: readonly FileRule[]): Map<number, number> {
  const match = new Map<number, number>();
  const free = new Set(theirs.keys());
  const settle = (isIt: (old: FileRule, i: number, rule: FileRule, at: number) => boolean): void => {
    for (const [i, old] of base.entries()) {
      if (match.has(i)) continue;
      const at = [...free].find((one) => {
        const rule = theirs[one];
        return rule !== undefined && isIt(old, i, rule, one);
      });
      if (at === undefined) continue;
      match.set(i, at);
      free.delete(at);
    }
  };
  settle((old, _, rule) => isSame(old, rule));
  settle((old, _, rule) => old.name !== undefined && old.name === rule.name);
  if (base.length === theirs.length) settle((_, i, __, at) => i === at);
  return match;
}
