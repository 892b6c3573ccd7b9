/**
 * The uses of a group: policies, setup keys, other groups and settings that refer to it.
 *
 * @module
 */
import type { Answer } from "../../api/client.ts";

type Policy = Answer<"GET /api/policies">[number];
type SetupKey = Answer<"GET /api/setup-keys">[number];
type Group = Answer<"GET /api/groups">[number];
type Account = Answer<"GET /api/accounts">[number];

export interface GroupUse {
  readonly kind: "policy" | "setup key" | "group" | "settings";
  /** Id of the policy, setup key or group; empty for the settings. */
  readonly id: string;
  readonly name: string;
  /** How it uses the group, such as `from it` or `approves requests for it`. */
  readonly how: string;
}

export interface UsedIn {
  readonly policies: readonly Policy[];
  readonly keys: readonly SetupKey[];
  readonly groups: readonly Group[];
  readonly account: Account | undefined;
}

/** All uses, policies first. Members of the group are not counted as uses. */
export function usesOf(groupId: string, { policies, keys, groups, account }: UsedIn): GroupUse[] {
  const settings = account?.settings;
  const inSettings = [
    ...(settings?.peer_expose_groups ?? []),
    ...(settings?.extra?.network_traffic_logs_groups ?? []),
  ];
  return [
    ...policies.flatMap(({ id, name, rules }): GroupUse[] => {
      const how = [...new Set(rules.flatMap((rule) => waysIn(rule, groupId)))];
      return how.length === 0 ? [] : [{ kind: "policy", id: id ?? "", name, how: how.join(", ") }];
    }),
    ...keys
      .filter(({ auto_groups }) => auto_groups.includes(groupId))
      .map(({ id, name }): GroupUse => ({ kind: "setup key", id, name, how: "machines that join with it" })),
    ...groups
      .filter(({ approver_groups }) => approver_groups?.includes(groupId))
      .map(({ id, name }): GroupUse => ({ kind: "group", id, name, how: "approves requests for it" })),
    ...(inSettings.includes(groupId)
      ? [{ kind: "settings" as const, id: "", name: "Settings", how: "named in the account's settings" }]
      : []),
  ];
}

type Rule = Policy["rules"][number];

/** Fields of the rule that name the group, in words. */
function waysIn(rule: Rule, groupId: string): string[] {
  const has = (groups: readonly (string | { readonly id: string })[] | null | undefined): boolean =>
    (groups ?? []).some((one) => (typeof one === "string" ? one : one.id) === groupId);
  return [
    ...(has(rule.sources) ? ["from it"] : []),
    ...(has(rule.destinations) ? ["to it"] : []),
    ...(has(rule.source_devices) ? ["from devices in it"] : []),
    ...(has(rule.allow_intercepted) ? ["by programs on machines in it"] : []),
    ...(Object.keys(rule.authorized_groups ?? {}).includes(groupId) ? ["local users of its members"] : []),
    ...(has(rule.approver_groups) ? ["approved by its members"] : []),
  ];
}
