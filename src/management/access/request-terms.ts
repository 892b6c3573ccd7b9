/**
 * A request's terms by the current policy: who decides, the longest duration, and the digest of the terms.
 *
 * When a rule's terms change, approvals under the old ones end. An approved membership lasts to its end.
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

/** The terms of a rule that requires approval. */
export function termsOfRule({ id, body }: Pick<PolicyRuleRow, "id" | "body">): RequestTerms {
  const approverGroups = [...new Set(body.approver_groups ?? [])].sort();
  const secondsMax = body.approval_seconds ?? APPROVAL_SECONDS_DEFAULT;
  const digest = sha256(canonicalJson([id, body.ssh ?? {}, approverGroups, secondsMax]));
  return { approverGroups, secondsMax, digest };
}

/** The terms of a group. Null: it cannot be requested. */
export function termsOfGroup({ id, isAll, settings }: GroupRow): RequestTerms | null {
  if (isAll || settings?.requestable !== true) return null;
  const approverGroups = [...new Set(settings.approverGroups ?? [])].sort();
  const secondsMax = settings.requestSecondsMax ?? GROUP_SECONDS_DEFAULT;
  return { approverGroups, secondsMax, digest: sha256(canonicalJson([id, approverGroups, secondsMax])) };
}

/**
 * The current terms of what `row` requests. Null: it is deleted or can no longer be requested. `deciding`
 * returns the account's `decidingGroups`, so that a caller with many rows reads them once.
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
  // Membership of a group that decides about requests must not itself be requestable.
  if (terms === null || (await deciding()).has(group.id)) return null;
  return terms;
}

/** Groups whose members decide about requests for any rule or group. */
export async function decidingGroups(tx: Reader, accountId: string): Promise<ReadonlySet<GroupId>> {
  const groups = await listGroups(tx, accountId);
  const policies = await listPolicies(tx, accountId);
  return new Set([
    ...groups.flatMap(({ settings }) => settings?.approverGroups ?? []),
    ...policies.flatMap(({ rules }) => rules.flatMap(({ body }) => body.approver_groups ?? [])),
  ]);
}

/**
 * Whether `user` decides by these terms: a person with a permanent membership of one of the groups or, where
 * there are none, an owner or admin.
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
