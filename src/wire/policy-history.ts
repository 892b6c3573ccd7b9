/**
 * Earlier states of an account's policies: the stored form, and the API's.
 *
 * @module
 */
import { z } from "zod";
import { AccountGroup, AccountPolicy, PolicyTest } from "./policy-account.ts";
import { Named, PolicyChangeEntry } from "./policy-code-api.ts";
import { PolicyFile } from "./policy-file.ts";

/** Origin of a state: a page, or any other API client, including `qf`. */
export const POLICY_STATE_WAYS = ["dashboard", "api"] as const;

/** The content of a policy file, by ids. Includes groups with settings and groups that rules name. */
export const PolicyState = z.object({
  policies: z.array(AccountPolicy),
  groups: z.array(AccountGroup.omit({ isAll: true })),
  tests: z.array(PolicyTest),
});
export type PolicyState = z.infer<typeof PolicyState>;

/** GET /api/policy/history: one state, and its changes from the previous one. */
export const PolicyHistoryEntry = z.object({
  /** Grows by one with each state. */
  number: z.int(),
  at: z.iso.datetime(),
  /** Null: it predates the history. */
  by: Named.nullable(),
  via: z.enum(POLICY_STATE_WAYS),
  /** As it was given with the change. Empty: none was. */
  reason: z.string(),
  /** Whether it is the one in force. */
  current: z.boolean(),
  /** Against the state before, by the names of then. Empty for the first of all. */
  changes: z.array(PolicyChangeEntry),
});
export type PolicyHistoryEntry = z.infer<typeof PolicyHistoryEntry>;

/** GET /api/policy/history/{number}: the state as a file of the account as it is now. */
export const PolicyHistoryState = PolicyHistoryEntry.extend({
  /** YAML. Things deleted since appear by id, and are refused when applied. */
  text: z.string(),
  file: PolicyFile,
});
export type PolicyHistoryState = z.infer<typeof PolicyHistoryState>;
