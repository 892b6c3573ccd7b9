/**
 * Stored states of an account's policies, and the account as it would be in one of them.
 *
 * Names are the current ones, so that a state survives renaming.
 *
 * @module
 */
import type { AccountGroup, PolicyAccount } from "../../wire/policy-account.ts";
import type { PolicyFile } from "../../wire/policy-file.ts";
import type { PolicyState } from "../../wire/policy-history.ts";
import type { GroupId } from "../../wire/units.ts";
import { type PolicyChange, planOf } from "./plan.ts";
import { renderFile } from "./render.ts";
import { groupsOfRule } from "./rule-groups.ts";

/** The state of `account` to store. */
export function policyStateOf({
  policies,
  groups,
  tests,
}: Pick<PolicyAccount, "policies" | "groups" | "tests">): PolicyState {
  const named = new Set(policies.flatMap(({ rules }) => rules.flatMap((rule) => [...groupsOfRule(rule)])));
  for (const { settings } of groups) for (const id of settings.approverGroups ?? []) named.add(id);
  return {
    policies,
    groups: groups
      .filter(({ id, settings }) => named.has(id) || Object.keys(settings).length > 0)
      .map(({ id, name, settings }) => ({ id, name, settings })),
    tests,
  };
}

/** Whether both states give the same file. Renaming a group makes no difference. */
export function isSameState(a: PolicyState, b: PolicyState): boolean {
  const saidBy = ({ policies, groups, tests }: PolicyState): unknown => [
    policies,
    tests,
    groups.flatMap(({ id, settings }) => (Object.keys(settings).length > 0 ? [{ id, settings }] : [])),
  ];
  return isSame(saidBy(a), saidBy(b));
}

/**
 * What the save that made `after` of `before` changed. A group of `before` that is not in `after`, and that
 * `exists` does not know either, was deleted.
 */
export function changesBetween(
  before: PolicyState,
  after: PolicyState,
  exists: (groupId: GroupId) => boolean,
): PolicyChange[] {
  const now = new Map(after.groups.map((group) => [group.id, group]));
  const then = new Map(before.groups.map((group) => [group.id, group]));
  const asAccount = ({ id, name, settings = {} }: Partial<AccountGroup>): AccountGroup => ({
    ...{ id: id ?? "", name: name ?? "", settings, isAll: false },
  });
  const groups = [...new Set([...now.keys(), ...then.keys()])].map((id) => {
    const [was, is] = [then.get(id), now.get(id)];
    const old = asAccount({ ...is, ...was, settings: was?.settings ?? {} });
    if (is === undefined && !exists(id)) return { old, fresh: [] };
    const fresh = asAccount({ ...was, ...is, settings: is?.settings ?? {} });
    return { old, fresh: [isSame(old.settings, fresh.settings) ? old : fresh] };
  });
  return planOf(
    { ...before, groups: groups.map(({ old }) => old) },
    { ...after, groups: groups.flatMap(({ fresh }) => fresh) },
  );
}

/** `account` with the policies, group settings and tests of `state`, including deleted groups. */
function accountInState(account: PolicyAccount, state: PolicyState): PolicyAccount {
  const then = new Map(state.groups.map((group) => [group.id, group]));
  const known = new Set(account.groups.map(({ id }) => id));
  const groups = account.groups.map((group): AccountGroup => {
    const settings = then.get(group.id)?.settings ?? {};
    return isSame(settings, group.settings) ? group : { ...group, settings };
  });
  const gone = state.groups.filter(({ id }) => !known.has(id)).map((group) => ({ ...group, isAll: false }));
  return { ...account, policies: state.policies, groups: [...groups, ...gone], tests: state.tests };
}

/** The state as a file for `account`. Policies renamed since are identified by id. */
export function renderState(account: PolicyAccount, state: PolicyState): PolicyFile {
  const file = renderFile(accountInState(account, state));
  const groups = { ...emptied(account, state), ...file.groups };
  const names = new Map(account.policies.map(({ id, name }) => [id, name]));
  return {
    ...file,
    // An empty section deletes everything in it; an absent one would leave it unchanged.
    ...(Object.keys(groups).length === 0 ? {} : { groups }),
    tests: file.tests ?? [],
    policies: (file.policies ?? []).map((policy, i) => {
      const id = state.policies[i]?.id ?? "";
      const name = names.get(id);
      return name === undefined || name === policy.name ? policy : { ...policy, id: `id:${id}` };
    }),
  };
}

/** Groups to name although they had no settings: those that have some now, and deleted ones. */
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
