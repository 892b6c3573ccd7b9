/**
 * The plan of a policy file: the account it would produce, the changes, and whom they affect.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { sha256 } from "../../base/random.ts";
import { differenceOf } from "../../policy/code/difference.ts";
import type { DifferenceBlock } from "../../policy/code/difference-types.ts";
import type { PolicyFault } from "../../policy/code/faults.ts";
import { type PolicyChange, planOf } from "../../policy/code/plan.ts";
import { rulesOf } from "../../policy/code/questions.ts";
import { resolveFile } from "../../policy/code/resolve.ts";
import type { MapRule } from "../../wire/network-map.ts";
import type { PolicyAccount } from "../../wire/policy-account.ts";
import type { PolicyFile } from "../../wire/policy-file.ts";
import { parsePolicyText, policyFileOf } from "../../wire/policy-text.ts";

/** The result of planning a file on an account. */
export interface FilePlan {
  readonly before: PolicyAccount;
  readonly after: PolicyAccount;
  readonly changes: readonly PolicyChange[];
  /** Identifies this plan: account, version, and every change by ids. */
  readonly digest: string;
  readonly rules: { readonly before: readonly MapRule[]; readonly after: readonly MapRule[] };
  /** Who gains and loses what. */
  readonly blocks: readonly DifferenceBlock[];
}

/** Faults reported at once. */
const FAULTS_MAX = 3;

/** The policy file of a request, given as text or as a value. Throws ERR_UNPROCESSABLE, ERR_TOO_LARGE. */
export function fileOf(body: { readonly text?: string | undefined; readonly file?: unknown }): PolicyFile {
  if ((body.text === undefined) === (body.file === undefined)) {
    throw new QfError("ERR_UNPROCESSABLE", "give the policy file as text or as file, and not both");
  }
  return body.text === undefined ? policyFileOf(body.file) : parsePolicyText(body.text);
}

/** Plans a file. Throws ERR_UNPROCESSABLE with the names that do not resolve. */
export function planFile(before: PolicyAccount, file: PolicyFile, nowSeconds: number): FilePlan {
  const after = accountWith(before, file);
  const rules = { before: rulesOf(before), after: rulesOf(after) };
  const { users, peers, settings } = before;
  const changed = after.groups.filter((group) => !before.groups.includes(group));
  const content = [before.accountId, before.version, after.policies, changed, after.tests];
  return {
    ...{ before, after, rules },
    changes: planOf(before, after),
    digest: sha256(JSON.stringify(content)),
    blocks: differenceOf({ users, peers, peersAfter: after.peers, settings, ...rules, nowSeconds }),
  };
}

/** The account with the file applied. Throws as `planFile`. */
export function accountWith(before: PolicyAccount, file: PolicyFile): PolicyAccount {
  const resolution = resolveFile(file, before);
  if (resolution.kind === "refused") throw refusalOf(resolution.faults);
  return resolution.account;
}

function refusalOf(faults: readonly PolicyFault[]): QfError {
  const told = faults.slice(0, FAULTS_MAX).map(({ message }) => message);
  const more = faults.length > FAULTS_MAX ? [`and ${faults.length - FAULTS_MAX} more`] : [];
  const hint = faults.find((fault) => fault.hint !== undefined)?.hint;
  const message = `the policy file: ${[...told, ...more].join("; ")}`;
  return new QfError("ERR_UNPROCESSABLE", message, hint === undefined ? {} : { hint });
}

/** Whether anyone gains access. A change that only removes access is saved even when tests fail. */
export function gainsAccess({ blocks }: Pick<FilePlan, "blocks">): boolean {
  return blocks.some(({ changes }) => changes.some(({ gained }) => gained.length > 0));
}

/** Whether someone could log in somewhere before and nobody can anywhere after. */
export function locksEveryoneOut({ before, rules, blocks }: FilePlan, nowSeconds: number): boolean {
  const loses = blocks.some(({ changes }) => changes.some(({ lost }) => lost.includes("connect")));
  if (!loses) return false;
  const { users, peers, settings } = before;
  const drops = rules.after.filter(({ action }) => action === "drop");
  // Rule by rule: the first that admits anyone anywhere decides.
  return !rules.after.some(
    (rule) =>
      rule.action === "accept" &&
      differenceOf({ users, peers, settings, before: [], after: [rule, ...drops], nowSeconds }).some(
        ({ changes }) => changes.some(({ gained }) => gained.includes("connect")),
      ),
  );
}
