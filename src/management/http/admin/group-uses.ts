/**
 * Uses of a group: everything whose meaning would silently change without it.
 *
 * @module
 */
import { groupsOfRule } from "../../../policy/code/rule-groups.ts";
import type { AccountId, GroupId } from "../../../wire/units.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { findAccount } from "../../db/tables/accounts.ts";
import { listGroups } from "../../db/tables/groups.ts";
import { listPolicies } from "../../db/tables/policies.ts";
import { listSetupKeys } from "../../db/tables/setup-keys.ts";
import { listUsers, type UserRow } from "../../db/tables/users.ts";

/** The uses in words: `policy Deploy`, `user Ann`. Empty: none. */
export async function usesOfGroup(tx: Reader, accountId: AccountId, groupId: GroupId): Promise<string[]> {
  const policies = await listPolicies(tx, accountId);
  const keys = await listSetupKeys(tx, accountId);
  const users = await listUsers(tx, accountId);
  const groups = await listGroups(tx, accountId);
  const settings = (await findAccount(tx, accountId))?.settings;
  const inSettings = [
    ...(settings?.peer_expose_groups ?? []),
    ...(settings?.extra?.network_traffic_logs_groups ?? []),
  ];
  return [
    ...policies
      .filter(({ rules }) => rules.some((rule) => groupsOfRule(rule.body).has(groupId)))
      .map(({ policy }) => `policy ${policy.name}`),
    ...keys.filter((key) => key.autoGroups.includes(groupId)).map((key) => `setup key ${key.name}`),
    ...users.filter((user) => isIn(user, groupId)).map((user) => `user ${user.name}`),
    ...(inSettings.includes(groupId) ? ["the account settings"] : []),
    ...groups
      .filter((group) => group.settings?.approverGroups?.includes(groupId))
      .map((group) => `group ${group.name}`),
  ];
}

function isIn({ autoGroups, autoGroupsUntil }: UserRow, groupId: GroupId): boolean {
  return autoGroups.includes(groupId) || (autoGroupsUntil ?? []).some((one) => one.groupId === groupId);
}
