/**
 * The check that rules which record typed input have recipients to encrypt for, since input contains
 * passwords.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { filled } from "../contracts/settings.ts";
import type { Reader } from "../db/engine/transaction.ts";
import { findAccount } from "../db/tables/accounts.ts";
import type { PolicyRuleRow } from "../db/tables/policies.ts";

/** Throws ERR_UNPROCESSABLE naming the first such rule when the account has no recipients. */
export async function requireEncryptedInput(
  tx: Reader,
  accountId: string,
  rules: readonly Pick<PolicyRuleRow, "body">[],
): Promise<void> {
  const at = rules.findIndex(({ body }) => body.ssh?.record_input === "all");
  if (at < 0) return;
  const account = await findAccount(tx, accountId);
  if (account !== undefined && filled(account.settings).recording_recipients.length > 0) return;
  throw new QfError(
    "ERR_UNPROCESSABLE",
    `rules[${at}].ssh.record_input keeps passwords too, so it needs recording_recipients`,
    { hint: "qf account set recording_recipients='[\"age1…\"]', and then save it" },
  );
}
