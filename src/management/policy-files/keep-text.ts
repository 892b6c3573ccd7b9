/**
 * The parts of the last applied file's text that still match the account, so that they keep their comments.
 *
 * @module
 */
import { resolveFile } from "../../policy/code/resolve.ts";
import type { PolicyAccount } from "../../wire/policy-account.ts";
import type { KeptText } from "../../wire/policy-render.ts";
import { parsePolicyText } from "../../wire/policy-text.ts";

/** The parts of `text` that still hold. Null: none, or it names something that no longer exists. */
export function keepText(text: string | null, account: PolicyAccount): KeptText | null {
  if (text === null) return null;
  const file = parsePolicyText(text);
  const resolution = resolveFile(file, account);
  if (resolution.kind === "refused") return null;
  const then = resolution.account;
  const places = new Map(then.policies.map((policy, i) => [policy, i]));
  const hasPolicies = file.policies !== undefined;
  const hasTests = file.tests !== undefined || account.tests.length === 0;
  const isSame =
    hasPolicies &&
    hasTests &&
    then.policies.length === account.policies.length &&
    then.policies.every((policy) => account.policies.includes(policy)) &&
    then.groups.length === account.groups.length &&
    then.groups.every((group, i) => group === account.groups[i]) &&
    JSON.stringify(then.tests) === JSON.stringify(account.tests) &&
    namesEverySetting(file.groups ?? {}, account);
  return {
    text,
    isSame,
    policies: account.policies.map((policy) => (hasPolicies ? (places.get(policy) ?? null) : null)),
    tests: file.tests !== undefined && JSON.stringify(then.tests) === JSON.stringify(account.tests),
  };
}

/** Whether the text names every group with settings. Otherwise `get` would leave some out. */
function namesEverySetting(named: Readonly<Record<string, unknown>>, account: PolicyAccount): boolean {
  const withSettings = account.groups.filter(({ settings }) => Object.keys(settings).length > 0);
  return withSettings.length <= Object.keys(named).length;
}
