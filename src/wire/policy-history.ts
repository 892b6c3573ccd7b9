/**
 * Earlier states of an account's policies: what is kept of each, and what the API tells of them.
 *
 * @module
 */
import { z } from "zod";
import { AccountGroup, AccountPolicy, PolicyTest } from "./policy-account.ts";
import { Named, PolicyChangeEntry } from "./policy-code-api.ts";
import { PolicyFile } from "./policy-file.ts";

/** By which way a state came: a page, or anything else that calls the API, `qf` included. */
export const POLICY_STATE_WAYS = ["dashboard", "api"] as const;

/** What a policy file can say, by ids. Groups are those with settings, and those that rules name. */
export const PolicyState = z.object({
  policies: z.array(AccountPolicy),
  groups: z.array(AccountGroup.omit({ isAll: true })),
  tests: z.array(PolicyTest),
});
export type PolicyState = z.infer<typeof PolicyState>;

/** GET /api/policy/history: one state, and what it changed of the one before. */
export const PolicyHistoryEntry = z.object({
  /** Grows by one with each state. */
  number: z.int(),
  at: z.iso.datetime(),
  /** Null: it was there before states were kept. */
  by: Named.nullable(),
  via: z.enum(POLICY_STATE_WAYS),
  /** As it was given with the change. Empty: none was. */
  reason: z.string(),
  /** Whether it is the one in force. */
  current: z.boolean(),
  /** Against the state before. Empty for the first that is kept. */
  changes: z.array(PolicyChangeEntry),
});
export type PolicyHistoryEntry = z.infer<typeof PolicyHistoryEntry>;

/** GET /api/policy/history/{number}: the state as a file of the account as it is now. */
export const PolicyHistoryState = PolicyHistoryEntry.extend({
  /** YAML. What is gone since stands by its id, and is refused where it is applied. */
  text: z.string(),
  file: PolicyFile,
});
export type PolicyHistoryState = z.infer<typeof PolicyHistoryState>;
