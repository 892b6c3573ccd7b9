/**
 * Applies the plan of a policy file in the transaction that checked it.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import { nowSeconds } from "../../base/clock.ts";
import { newId } from "../../base/random.ts";
import { NEW_ID_PREFIX } from "../../policy/code/resolve.ts";
import type { AccountPolicy, PolicyAccount } from "../../wire/policy-account.ts";
import { endChangedApprovals } from "../access/decide-request.ts";
import type { ChangeWriter } from "../db/store.ts";
import { insertGroup, setGroupSettings } from "../db/tables/groups.ts";
import { deletePolicy, findPolicy, type PolicyRuleRow, putPolicy } from "../db/tables/policies.ts";
import { findPolicyFile, putPolicyFile } from "../db/tables/policy-files.ts";
import { requireEncryptedInput } from "./encrypted-input.ts";
import type { FilePlan } from "./plan-file.ts";

/** What a request gave along with a file. */
export interface GivenFile {
  /** The file's text. Null: keep the previous text. */
  readonly text: string | null;
  /** Null: none. */
  readonly reason: string | null;
}

/** Writes the plan's changes. */
export async function applyPlan(tx: ChangeWriter, plan: FilePlan, given: GivenFile): Promise<void> {
  const { before } = plan;
  const after = withNewIds(plan.after);
  const { accountId } = before;
  await writeGroups(tx, before, after);
  const kept = new Set(after.policies.map(({ id }) => id));
  for (const policy of before.policies) {
    if (kept.has(policy.id)) continue;
    await deletePolicy(tx, accountId, policy.id);
    tx.record({ activity: "policy.delete", targetId: policy.id, meta: { name: policy.name } });
  }
  const old = new Map(before.policies.map((policy) => [policy.id, JSON.stringify(policy)]));
  for (const policy of after.policies) {
    const was = old.get(policy.id);
    if (was === JSON.stringify(policy)) continue;
    await writePolicy(tx, accountId, policy);
    const activity = was === undefined ? "policy.add" : "policy.update";
    tx.record({ activity, targetId: policy.id, meta: { name: policy.name } });
  }
  await endChangedApprovals(tx, accountId);
  await writeFile(tx, plan, after, given);
}

async function writeGroups(tx: ChangeWriter, before: PolicyAccount, after: PolicyAccount): Promise<void> {
  const { accountId } = before;
  const old = new Map(before.groups.map((group) => [group.id, JSON.stringify(group)]));
  for (const group of after.groups) {
    const { id, name, settings } = group;
    const was = old.get(id);
    if (was === JSON.stringify(group)) continue;
    if (was === undefined) {
      await insertGroup(tx, { id, accountId, name, isAll: false, createdAt: nowSeconds(tx.clock), settings });
    } else {
      await setGroupSettings(tx, accountId, id, settings);
    }
    tx.record({ activity: was === undefined ? "group.add" : "group.update", targetId: id, meta: { name } });
  }
}

async function writePolicy(tx: ChangeWriter, accountId: string, policy: AccountPolicy): Promise<void> {
  const now = nowSeconds(tx.clock);
  const old = await findPolicy(tx, accountId, policy.id);
  const { id, name, description, enabled, sourcePostureChecks } = policy;
  const rules = policy.rules.map((rule, position): PolicyRuleRow => {
    const { id: ruleId, ...body } = rule;
    return { id: ruleId, accountId, policyId: id, position, body };
  });
  await requireEncryptedInput(tx, accountId, rules);
  await putPolicy(
    tx,
    {
      ...{ id, accountId, name, description, enabled, sourcePostureChecks },
      createdAt: old?.policy.createdAt ?? now,
      updatedAt: now,
    },
    rules,
  );
}

async function writeFile(
  tx: ChangeWriter,
  { before, changes, digest }: FilePlan,
  after: PolicyAccount,
  { text, reason }: GivenFile,
): Promise<void> {
  const old = await findPolicyFile(tx, before.accountId);
  const kept = text ?? old?.text ?? null;
  const hasNewTests = JSON.stringify(before.tests) !== JSON.stringify(after.tests);
  await putPolicyFile(tx, {
    accountId: before.accountId,
    tests: after.tests,
    text: kept,
    updatedAt: nowSeconds(tx.clock),
    differsSince: old?.differsSince ?? null,
  });
  if (hasNewTests) {
    const meta = { tests: String(after.tests.length) };
    tx.record({ activity: "policy.tests.update", targetId: before.accountId, meta });
  }
  const meta = { changes: String(changes.length), digest, version: String(before.version) };
  const why = reason === null ? {} : { reason };
  tx.record({ activity: "policy.apply", targetId: before.accountId, meta: { ...meta, ...why } });
}

/** Replaces the plan's placeholder ids of new objects by real ids. */
function withNewIds(account: PolicyAccount): PolicyAccount {
  const ids = new Map<string, string>();
  const idOf = (id: string): string => {
    if (!id.startsWith(NEW_ID_PREFIX)) return id;
    const made = ids.get(id) ?? newId();
    ids.set(id, made);
    return made;
  };
  const groups = account.groups.map((group) => {
    const { approverGroups } = group.settings;
    if (!group.id.startsWith(NEW_ID_PREFIX) && approverGroups?.some(isNew) !== true) return group;
    const settings = approverGroups
      ? { ...group.settings, approverGroups: approverGroups.map(idOf) }
      : group.settings;
    return { ...group, id: idOf(group.id), settings };
  });
  const policies = account.policies.map((policy) => ({
    ...policy,
    id: idOf(policy.id),
    rules: policy.rules.map((rule) => ruleWithIds(rule, idOf)),
  }));
  const made = { ...account, groups, policies };
  assert(
    !JSON.stringify([made.groups, made.policies]).includes(`"${NEW_ID_PREFIX}`),
    "every new thing has an id",
  );
  return made;
}

function ruleWithIds(
  rule: AccountPolicy["rules"][number],
  idOf: (id: string) => string,
): AccountPolicy["rules"][number] {
  const { sources, destinations, source_devices, allow_intercepted, authorized_groups, approver_groups } =
    rule;
  return {
    ...rule,
    id: idOf(rule.id),
    ...(sources ? { sources: sources.map(idOf) } : {}),
    ...(destinations ? { destinations: destinations.map(idOf) } : {}),
    ...(source_devices ? { source_devices: source_devices.map(idOf) } : {}),
    ...(allow_intercepted ? { allow_intercepted: allow_intercepted.map(idOf) } : {}),
    ...(approver_groups ? { approver_groups: approver_groups.map(idOf) } : {}),
    ...(authorized_groups
      ? {
          authorized_groups: Object.fromEntries(
            Object.entries(authorized_groups).map(([group, users]) => [idOf(group), users] as const),
          ),
        }
      : {}),
  };
}

function isNew(id: string): boolean {
  return id.startsWith(NEW_ID_PREFIX);
}
