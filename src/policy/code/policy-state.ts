/**
 * A state of the policies as it is kept, and an account as it would be in that state.
 *
 * Names are those of now, so that a state outlives the renaming of what it names.
 *
 * @module
 */
import type { AccountGroup, PolicyAccount } from "../../wire/policy-account.ts";
import type { PolicyFile } from "../../wire/policy-file.ts";
import type { PolicyState } from "../../wire/policy-history.ts";
import { renderFile } from "./render.ts";

/** What is kept of `account`. */
export function policyStateOf({
  policies,
  groups,
  tests,
}: Pick<PolicyAccount, "policies" | "groups" | "tests">): PolicyState {
  const named = new Set(policies.flatMap(({ rules }) => rules.flatMap(groupsNamedIn)));
  for (const { settings } of groups) for (const id of settings.approverGroups ?? []) named.add(id);
  return {
    policies,
    groups: groups
      .filter(({ id, settings }) => named.has(id) || Object.keys(settings).length > 0)
      .map(({ id, name, settings }) => ({ id, name, settings })),
    tests,
  };
}

/** Whether a file of both says the same. A group that was only renamed is the same. */
export function isSameState(a: PolicyState, b: PolicyState): boolean {
  const saidBy = ({ policies, groups, tests }: PolicyState): unknown => [
    policies,
    tests,
    groups.flatMap(({ id, settings }) => (Object.keys(settings).length > 0 ? [{ id, settings }] : [])),
  ];
  return isSame(saidBy(a), saidBy(b));
}

function groupsNamedIn(rule: PolicyAccount["policies"][number]["rules"][number]): string[] {
  const { sources, destinations, source_devices, approver_groups, authorized_groups } = rule;
  return [
    ...(sources ?? []),
    ...(destinations ?? []),
    ...(source_devices ?? []),
    ...(approver_groups ?? []),
    ...Object.keys(authorized_groups ?? {}),
  ];
}

/** `account` with the policies, settings of groups and tests of `state`. Groups that are gone are in it. */
export function accountInState(account: PolicyAccount, state: PolicyState): PolicyAccount {
  const then = new Map(state.groups.map((group) => [group.id, group]));
  const known = new Set(account.groups.map(({ id }) => id));
  const groups = account.groups.map((group): AccountGroup => {
    const settings = then.get(group.id)?.settings ?? {};
    return isSame(settings, group.settings) ? group : { ...group, settings };
  });
  const gone = state.groups.filter(({ id }) => !known.has(id)).map((group) => ({ ...group, isAll: false }));
  return { ...account, policies: state.policies, groups: [...groups, ...gone], tests: state.tests };
}

/** The state as a file for `account`: a policy that was renamed since is found by its id. */
export function renderState(account: PolicyAccount, state: PolicyState): PolicyFile {
  const file = renderFile(accountInState(account, state));
  const groups = { ...emptied(account, state), ...file.groups };
  const names = new Map(account.policies.map(({ id, name }) => [id, name]));
  return {
    ...file,
    // Empty sections say that there is none; absent ones would leave what is there.
    ...(Object.keys(groups).length === 0 ? {} : { groups }),
    tests: file.tests ?? [],
    policies: (file.policies ?? []).map((policy, i) => {
      const id = state.policies[i]?.id ?? "";
      const name = names.get(id);
      return name === undefined || name === policy.name ? policy : { ...policy, id: `id:${id}` };
    }),
  };
}

/** Groups to be named although they had no settings: those that have some now, and those that are gone. */
function emptied({ groups }: PolicyAccount, state: PolicyState): Record<string, Record<string, never>> {
  const then = new Map(state.groups.map((group) => [group.id, Object.keys(group.settings).length > 0]));
  const now = groups.filter(({ id, settings }) => Object.keys(settings).length > 0 && then.get(id) !== true);
  const [ids, names] = [new Set(groups.map(({ id }) => id)), new Set(groups.map(({ name }) => name))];
  const gone = state.groups.filter(({ id, name }) => !ids.has(id) && !names.has(name));
  return Object.fromEntries([...now, ...gone].map(({ name }) => [name, {}]));
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
