/**
 * A policy while it is edited: one entry of the policy file, whose rules keep a key of their own so that they
 * can be moved, and merged with what was saved by others meanwhile.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";

export type File = Answer<"GET /api/policy/file">["file"];
export type FilePolicy = NonNullable<File["policies"]>[number];
export type FileRule = FilePolicy["rules"][number];
export type FileTest = NonNullable<File["tests"]>[number];
type ApiPolicy = Answer<"GET /api/policies">[number];

/** A rule with the key by which it stays itself. Those of the base are `b0`, `b1`, …. */
export interface DraftRule {
  readonly key: string;
  readonly rule: FileRule;
}

export interface PolicyDraft {
  /** As it was when editing began. Null: a new policy. */
  readonly base: FilePolicy | null;
  readonly fields: Omit<FilePolicy, "rules">;
  readonly rules: readonly DraftRule[];
  /** For the next key. */
  readonly nextKey: number;
}

/** What nobody has written yet: from anywhere, to be said who, as whom and where. */
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
    fields: of === null ? fields : { ...fields, name: freeName(fields.name, taken) },
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

/** Where the file has `policy`: by its name, or by its id where two have the same name. -1: nowhere. */
export function placeInFile(file: File, { id, name }: Pick<ApiPolicy, "id" | "name">): number {
  const policies = file.policies ?? [];
  const byId = policies.findIndex((one) => one.id === `id:${id}`);
  return byId !== -1 ? byId : policies.findIndex((one) => one.id === undefined && one.name === name);
}

/** The file with `policy` at `place`; -1 adds it, null takes it out. A renamed one stays itself by `id`. */
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
