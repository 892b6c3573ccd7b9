/**
 * A policy being edited: one entry of the policy file. Its rules have stable keys, so they can be moved, and
 * merged with what others saved meanwhile.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";

export type File = Answer<"GET /api/policy/file">["file"];
export type FilePolicy = NonNullable<File["policies"]>[number];
export type FileRule = FilePolicy["rules"][number];
export type FileTest = NonNullable<File["tests"]>[number];
type ApiPolicy = Answer<"GET /api/policies">[number];

/** A rule with a stable key. Rules of the base policy have `b0`, `b1`, …. */
export interface DraftRule {
  readonly key: string;
  readonly rule: FileRule;
}

export interface PolicyDraft {
  /** The policy when editing began. Null for a new one. */
  readonly base: FilePolicy | null;
  readonly fields: Omit<FilePolicy, "rules">;
  readonly rules: readonly DraftRule[];
  /** Number of the next new key. */
  readonly nextKey: number;
}

/** The rule of a new policy: from anywhere, with people, local users and machines still to be filled in. */
export const NEW_RULE: FileRule = { sources: ["All"], destinations: [], authorized_groups: { "": [] } };

export function draftOf(policy: FilePolicy): PolicyDraft {
  const { rules, ...fields } = policy;
  return { base: policy, fields, rules: rules.map((rule, i) => ({ key: `b${i}`, rule })), nextKey: 0 };
}

/** A new policy, or a copy of one. */
export function newDraft(of: FilePolicy | null, taken: ReadonlySet<string>): PolicyDraft {
  const { rules, id: _, ...fields } = of ?? { name: "", rules: [NEW_RULE] };
  return {
    base: null,
    fields:
      of === null || !taken.has(fields.name) ? fields : { ...fields, name: freeName(fields.name, taken) },
    rules: rules.map((rule, i) => ({ key: `n${i}`, rule })),
    nextKey: rules.length,
  };
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  const copies = Array.from(
    { length: taken.size + 1 },
    (_, i) => `${name} copy${i === 0 ? "" : ` ${i + 1}`}`,
  );
  return copies.find((copy) => !taken.has(copy)) ?? name;
}

export function policyOf({ fields, rules }: PolicyDraft): FilePolicy {
  return { ...fields, rules: rules.map(({ rule }) => rule) };
}

export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Whether there is anything to save. */
export function isEdited(draft: PolicyDraft): boolean {
  return draft.base === null || !isSame(policyOf(draft), draft.base);
}

/** Index of `policy` in the file, matched by id if an entry has it, else by name. -1 if absent. */
export function placeInFile(file: File, { id, name }: Pick<ApiPolicy, "id" | "name">): number {
  const policies = file.policies ?? [];
  const byId = policies.findIndex((one) => one.id === `id:${id}`);
  return byId !== -1 ? byId : policies.findIndex((one) => one.id === undefined && one.name === name);
}

/**
 * The file with `policy` at index `place`. -1 appends it, and null removes the entry there. A renamed policy
 * keeps its identity by `id`.
 */
export function fileWith(
  file: File,
  { place, policy, id }: { readonly place: number; readonly policy: FilePolicy | null; readonly id?: string },
): File {
  const policies = [...(file.policies ?? [])];
  if (policy === null) policies.splice(place, 1);
  else if (place === -1) policies.push(policy);
  else {
    const isRenamed = policies[place]?.name !== policy.name && id !== undefined;
    policies[place] = isRenamed ? { ...policy, id: `id:${id}` } : policy;
  }
  return { ...file, policies };
}

export function withField<T extends object, K extends keyof T>(of: T, name: K, value: T[K] | undefined): T {
  if (value !== undefined) return { ...of, [name]: value };
  const { [name]: _, ...rest } = of;
  return rest as T;
}
