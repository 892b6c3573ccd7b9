/**
 * Policies that are kept elsewhere (`policy_source`): who may still change them here, and since when they may
 * differ from those there.
 *
 * Service users change them, since the source's pipeline is one. Anybody else needs an override with a reason
 * when applying a policy file, and no other way is open.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import type { AccountSettings } from "../../wire/account-settings.ts";
import type { PolicyApplyRequest, PolicySource } from "../../wire/policy-code-api.ts";
import type { AccountId } from "../../wire/units.ts";
import { filled } from "../contracts/settings.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { ChangeWriter } from "../db/store.ts";
import { findAccount } from "../db/tables/accounts.ts";
import { findPolicyFile, noteDiffers } from "../db/tables/policy-files.ts";
import type { UserRow } from "../db/tables/users.ts";

type Maker = Pick<UserRow, "isServiceUser">;

/** Empty: the policies are kept here. */
export async function sourceOf(tx: Reader, accountId: AccountId): Promise<string> {
  const account = await findAccount(tx, accountId);
  return account === undefined ? "" : filled(account.settings).policy_source;
}

/** The source as the API shows it. Null: none. */
export async function shownSource(tx: Reader, accountId: AccountId): Promise<PolicySource | null> {
  const name = await sourceOf(tx, accountId);
  if (name === "") return null;
  const since = (await findPolicyFile(tx, accountId))?.differsSince ?? null;
  return { name, differs_since: since === null ? null : new Date(since * 1_000).toISOString() };
}

/** Whether an `apply` by this caller would end the difference from the source. */
export async function settles(tx: Reader, accountId: AccountId, { isServiceUser }: Maker): Promise<boolean> {
  return isServiceUser && ((await shownSource(tx, accountId))?.differs_since ?? null) !== null;
}

/** The refusal of a change that has to be made at the source. */
export function keptElsewhere(source: string): QfError {
  return new QfError("ERR_FORBIDDEN", `the policies are kept in ${source} and are changed there`, {
    hint: "in an emergency, apply a policy file with --override and a reason (override in the API)",
  });
}

/**
 * Notes by whom a file was applied: the source itself, or an override. Throws ERR_UNPROCESSABLE for an
 * override without a reason.
 */
export async function noteApplied(
  tx: ChangeWriter,
  accountId: AccountId,
  {
    actor,
    body,
    hasChanges,
  }: { readonly actor: Maker; readonly body: PolicyApplyRequest; readonly hasChanges: boolean },
): Promise<void> {
  const source = await sourceOf(tx, accountId);
  if (source === "") return;
  if (actor.isServiceUser) return await noteDiffers(tx, accountId, null);
  if (!hasChanges || body.override !== true) return;
  if (body.reason === undefined) throw reasonMissing();
  const { differsSince = null } = (await findPolicyFile(tx, accountId)) ?? {};
  await noteDiffers(tx, accountId, differsSince ?? nowSeconds(tx.clock));
  tx.record({
    activity: "policy.source.override",
    targetId: accountId,
    meta: { source, reason: body.reason },
  });
}

/** Throws ERR_UNPROCESSABLE when the source is changed or emptied without a reason; records the change. */
export async function changeSource(
  tx: ChangeWriter,
  accountId: AccountId,
  {
    before,
    after,
    reason,
  }: {
    readonly before: AccountSettings;
    readonly after: AccountSettings;
    readonly reason: string | undefined;
  },
): Promise<void> {
  const [from, to] = [filled(before).policy_source, filled(after).policy_source];
  if (from === to) return;
  if (from !== "" && reason === undefined) throw reasonMissing();
  await noteDiffers(tx, accountId, null);
  const why = reason === undefined ? {} : { reason };
  tx.record({ activity: "policy.source.update", targetId: accountId, meta: { from, to, ...why } });
}

function reasonMissing(): QfError {
  return new QfError("ERR_UNPROCESSABLE", "reason is missing: policies that are kept elsewhere take one", {
    hint: "say why, such as an incident: it is shown in the history and the audit log",
  });
}
