/**
 * Explanations of decisions: each rule with the first condition that failed, and what would have to change.
 *
 * The outcome comes from `decide`; this only adds wording, with the account's names of groups and people.
 *
 * @module
 */
import type { RuleOutcome } from "../../wire/decision.ts";
import type { AccountPolicy, AccountRule } from "../../wire/policy-account.ts";
import { sentenceOf } from "../sentences.ts";
import type { AccountNames } from "./names.ts";

/** One rule of a trace, in words. */
export interface RuleExplanation {
  readonly ruleId: string;
  readonly policyId: string;
  /** Names of policy and rule; a rule without one is `rule 2`. Empty: the rule is gone. */
  readonly policy: string;
  readonly rule: string;
  readonly outcome: RuleOutcome;
  /** The first condition that failed, or that it grants. */
  readonly sentence: string;
  /** What would have to change for this rule to grant it. Null: nothing, or nothing would help. */
  readonly change: string | null;
}

/** The names of the things a question is about. */
export interface AskedNames {
  readonly user: string;
  /** Null: a device that is not ours. */
  readonly device: string | null;
  readonly machine: string;
  readonly localUser: string;
}

/** `trace` in words, nearest rules first. */
export function explainTrace(
  trace: readonly { readonly ruleId: string; readonly outcome: RuleOutcome }[],
  policies: readonly AccountPolicy[],
  names: AccountNames,
  asked: AskedNames,
  order: readonly RuleOutcome[],
): RuleExplanation[] {
  const known = new Map(
    policies.flatMap((policy) => policy.rules.map((rule, i) => [rule.id, { policy, rule, i }] as const)),
  );
  return trace
    .map(({ ruleId, outcome }): RuleExplanation => {
      const found = known.get(ruleId);
      const rule = found?.rule;
      return {
        ruleId,
        policyId: found?.policy.id ?? "",
        policy: found?.policy.name ?? "",
        rule: found === undefined ? "" : found.rule.name === "" ? `rule ${found.i + 1}` : found.rule.name,
        outcome,
        ...wordsOf(outcome, rule, names, asked),
      };
    })
    .sort((a, b) => order.indexOf(b.outcome) - order.indexOf(a.outcome));
}

interface Words {
  readonly sentence: string;
  readonly change: string | null;
}

/** Sentences of outcomes that need no names. */
const PLAIN = {
  granted: { sentence: "grants it", change: null },
  dropped: {
    sentence: "is a drop that matches: it denies whatever others grant",
    change: "take it away, or narrow it",
  },
  disabled: { sentence: "is disabled, or its policy is", change: "enable it" },
  other_protocol: { sentence: "is not about SSH of people", change: null },
  drop_not_matching: { sentence: "is a drop that does not match", change: null },
  outside_validity: { sentence: "is outside of valid_from and valid_until", change: "change its validity" },
} as const satisfies Partial<Record<RuleOutcome, Words>>;

function isPlain(outcome: RuleOutcome): outcome is keyof typeof PLAIN {
  return Object.hasOwn(PLAIN, outcome);
}

function wordsOf(
  outcome: RuleOutcome,
  rule: AccountRule | undefined,
  names: AccountNames,
  { user, device, machine, localUser }: AskedNames,
): Words {
  const groups = (list: readonly string[] | null | undefined): string =>
    (list ?? []).map(names.group.nameOf).join(", ") || "no group";
  if (isPlain(outcome)) return PLAIN[outcome];
  const from = device ?? "an unregistered device";
  const keys = Object.keys(rule?.authorized_groups ?? {});
  switch (outcome) {
    case "not_destination":
      return {
        sentence: `does not name ${machine} among its destinations`,
        change: `put ${machine} into ${groups(rule?.destinations)}`,
      };
    case "user_not_in_groups": {
      const wanted = groups(keys.length > 0 ? keys : rule?.sources);
      return { sentence: `${user} is in none of ${wanted}`, change: `put ${user} into one of ${wanted}` };
    }
    case "unmanaged_device":
      return {
        sentence: "admits registered devices only",
        change: `sign in with qf login on a device of ${user}, or set ssh.allow_unmanaged_devices`,
      };
    case "device_not_in_sources":
      return {
        sentence: `${from} is in none of ${groups(rule?.sources)}`,
        change: `put ${from} into one of them`,
      };
    case "device_not_in_source_devices":
      return {
        sentence: `${from} itself is in none of ${groups(rule?.source_devices)}`,
        change: `put ${from} into one of them`,
      };
    case "browser_not_allowed":
      return {
        sentence: "takes no terminal in a browser",
        change: `sign in with qf login on a device of ${user}, or set ssh.allow_browsers`,
      };
    case "local_user_not_listed":
      return {
        sentence: `does not list ${localUser} for a group of ${user}`,
        change: `add ${localUser} to authorized_groups for one of ${groups(keys)}`,
      };
    default: {
      const { sentence, hint } = sentenceOf(outcome);
      return { sentence: lowerFirst(sentence), change: hint };
    }
  }
}

function lowerFirst(sentence: string): string {
  return /^[A-Z][a-z]/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence;
}
