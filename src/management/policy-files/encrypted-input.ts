/**
 * The check that rules which record typed input have recipients to encrypt for, since input contains
 * passwords: when such a rule is saved, and when the recipients are taken away.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { AccountSettings } from "../../wire/account-settings.ts";
import { filled } from "../contracts/settings.ts";
import type { Reader } from "../db/engine/transaction.ts";
import { findAccount } from "../db/tables/accounts.ts";
import { listPolicies, type PolicyRuleRow } from "../db/tables/policies.ts";

/** Throws ERR_UNPROCESSABLE naming the first such rule when the account has no recipients. */
export async function requireEncryptedInput(
  tx: Reader,
  accountId: string,
  rules: readonly Pick<PolicyRuleRow, "body">[],
): Promise<void> {
  const at = rules.findIndex(keepsInput);
  if (at < 0) return;
  const account = await findAccount(tx, accountId);
  if (account !== undefined && filled(account.settings).recording_recipients.length > 0) return;
  throw new QfError(
    "ERR_UNPROCESSABLE",
    `rules[${at}].ssh.record_input keeps passwords too, so it needs recording_recipients`,
    { hint: "qf account set recording_recipients='[\"age1…\"]', and then save it" },
  );
}

/** Throws ERR_UNPROCESSABLE naming an enabled rule that would lose its recipients. */
export async function requireRecipientsKept(
  tx: Reader,
  accountId: string,
  { before, after }: { readonly before: AccountSettings; readonly after: AccountSettings },
): Promise<void> {
  const count = (settings: AccountSettings) => filled(settings).recording_recipients.length;
  if (count(after) > 0 || count(before) === 0) return;
  for (const { policy, rules } of await listPolicies(tx, accountId)) {
    const rule = rules.find((one) => policy.enabled && one.body.enabled && keepsInput(one));
    if (rule === undefined) continue;
    throw new QfError(
      "ERR_UNPROCESSABLE",
      `rule "${rule.body.name}" of policy "${policy.name}" has record_input: all, which keeps passwords ` +
        "too, so it needs recording_recipients",
      { hint: "change the rule first, or name another recipient" },
    );
  }
}

function keepsInput({ body }: Pick<PolicyRuleRow, "body">): boolean {
  return body.ssh?.record_input === "all";
}
