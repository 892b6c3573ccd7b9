/**
 * Terms of a request as policy has them now: who decides, for how long at most, and the digest of both.
 *
 * When the terms of a rule change, what was approved under the old ones ends. A membership that was approved
 * goes on to its end.
 *
 * @module
 */
import { sha256 } from "../../base/random.ts";
import { canonicalJson } from "../../log/canonical-json.ts";
import { GROUP_SECONDS_DEFAULT } from "../../wire/access-request.ts";
import { APPROVAL_SECONDS_DEFAULT } from "../../wire/policy.ts";
import type { GroupId } from "../../wire/units.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { AccessRequestRow } from "../db/tables/access-requests.ts";
import { findGroup, type GroupRow, listGroups } from "../db/tables/groups.ts";
import { findRule, listPolicies, type PolicyRuleRow } from "../db/tables/policies.ts";
import type { UserRow } from "../db/tables/users.ts";

export interface RequestTerms {
  /** Groups whose standing members decide. Empty: the account's owners and admins. */
  readonly approverGroups: readonly GroupId[];
  readonly secondsMax: number;
  readonly digest: string;
}

/** Of a rule that asks for an approval. */
export function termsOfRule({ id, body }: Pick<PolicyRuleRow, "id" | "body">): RequestTerms {
  const approverGroups = [...new Set(body.approver_groups ?? [])].sort();
  const secondsMax = body.approval_seconds ?? APPROVAL_SECONDS_DEFAULT;
  const digest = sha256(canonicalJson([id, body.ssh ?? {}, approverGroups, secondsMax]));
  return { approverGroups, secondsMax, digest };
}

/** Of a group that may be asked for. Null: it may not. */
export function termsOfGroup({ id, isAll, settings }: GroupRow): RequestTerms | null {
  if (isAll || settings?.requestable !== true) return null;
  const approverGroups = [...new Set(settings.approverGroups ?? [])].sort();
  const secondsMax = settings.requestSecondsMax ?? GROUP_SECONDS_DEFAULT;
  return { approverGroups, secondsMax, digest: sha256(canonicalJson([id, approverGroups, secondsMax])) };
}

/**
 * Of what `row` asks for, as it is now. Null: that is gone, or cannot be asked for any more. `deciding` gives
 * the account's `decidingGroups`, for a caller that has many rows to look at.
 */
export async function termsOf(
  tx: Reader,
  row: AccessRequestRow,
  deciding = () => decidingGroups(tx, row.accountId),
): Promise<RequestTerms | null> {
  if (row.kind === "machine") {
    const rule = row.ruleId === null ? undefined : await findRule(tx, row.ruleId);
    return rule?.accountId === row.accountId ? termsOfRule(rule) : null;
  }
  const group = row.groupId === null ? undefined : await findGroup(tx, row.accountId, row.groupId);
  if (group === undefined) return null;
  const terms = termsOfGroup(group);
  // Who decides about something must not get there by asking.
  if (terms === null || (await deciding()).has(group.id)) return null;
  return terms;
}

/** Groups whose members decide about some request. */
export async function decidingGroups(tx: Reader, accountId: string): Promise<ReadonlySet<GroupId>> {
  const groups = await listGroups(tx, accountId);
  const policies = await listPolicies(tx, accountId);
  return new Set([
    ...groups.flatMap(({ settings }) => settings?.approverGroups ?? []),
    ...policies.flatMap(({ rules }) => rules.flatMap(({ body }) => body.approver_groups ?? [])),
  ]);
}

/**
 * Whether `user` decides by these terms: a person who is in one of the groups without an end, or an owner or
 * admin where there are none.
 */
export function isApprover(
  user: UserRow,
  { approverGroups }: Pick<RequestTerms, "approverGroups">,
  allGroupId: GroupId | null,
): boolean {
  if (user.isServiceUser || user.isBlocked || user.pendingApproval) return false;
  if (approverGroups.length === 0) return user.role === "owner" || user.role === "admin";
  return approverGroups.some((group) => group === allGroupId || user.autoGroups.includes(group));
}
