/**
 * /api/policies: who may log in where, and as which local user.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { newId } from "../../../base/random.ts";
import { groupsOfRule } from "../../../policy/code/rule-groups.ts";
import { findShadows } from "../../../policy/shadowing.ts";
import { Empty, NoQuery, PageQuery, SaveQuery } from "../../../wire/admin-query.ts";
import { Policy, type PolicyRule, type PolicyRuleWrite, PolicyWrite } from "../../../wire/policy.ts";
import { endChangedApprovals } from "../../access/decide-request.ts";
import { defaultSettings, filled, mapSettings } from "../../contracts/settings.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { ChangeWriter } from "../../db/store.ts";
import { findAccount } from "../../db/tables/accounts.ts";
import { knownGroups } from "../../db/tables/groups.ts";
import {
  deletePolicy,
  findPolicy,
  listPolicies,
  listPostureChecks,
  type PolicyRow,
  type PolicyRuleRow,
  type PolicyWithRules,
  putPolicy,
} from "../../db/tables/policies.ts";
import { mapRule } from "../../maps/account-snapshot.ts";
import { requireEncryptedInput } from "../../policy-files/encrypted-input.ts";
import { notFound } from "./access.ts";
import { type GroupNames, loadGroupNames } from "./groups-view.ts";
import { listing } from "./paging.ts";
import { requireRules, unprocessable } from "./policy-rules.ts";
import { requireKnownGroups, requireKnownPeers } from "./references.ts";
import { type Call, type Route, route } from "./route.ts";
import { ruleNames } from "./rule-names.ts";

export const policyRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/policies",
    summary: "Policies with their rules",
    access: "read",
    query: PageQuery,
    answer: { listOf: Policy },
    handle: (call) =>
      call.read(async (tx) => {
        const view = await loadGroupNames(tx, call.accountId);
        const policies = await listPolicies(tx, call.accountId);
        return listing(call.query, policies, {
          keyOf: ({ policy }) => policy.id,
          render: (one) => asPolicy(one, view),
        });
      }),
  }),
  route({
    method: "post",
    path: "/api/policies",
    summary: "Makes a policy",
    access: "write",
    query: SaveQuery,
    tests: "all",
    body: PolicyWrite,
    answer: { one: Policy },
    also: [409],
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const policy = await savePolicy(call, tx, null);
        tx.record({ activity: "policy.add", targetId: policy.id, meta: { name: policy.name } });
        return policy;
      }),
  }),
  route({
    method: "get",
    path: "/api/policies/:policyId",
    summary: "One policy",
    access: "read",
    query: NoQuery,
    answer: { one: Policy },
    handle: (call) =>
      call.read(async (tx) => asPolicy(await policyOf(call, tx), await loadGroupNames(tx, call.accountId))),
  }),
  route({
    method: "put",
    path: "/api/policies/:policyId",
    summary: "Replaces a policy; rules that name their id keep it",
    access: "write",
    query: SaveQuery,
    tests: "all",
    body: PolicyWrite,
    answer: { one: Policy },
    also: [409],
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const policy = await savePolicy(call, tx, await policyOf(call, tx));
        tx.record({ activity: "policy.update", targetId: policy.id, meta: { name: policy.name } });
        return policy;
      }),
  }),
  route({
    method: "delete",
    path: "/api/policies/:policyId",
    summary: "Deletes a policy: what it allowed ends now",
    access: "write",
    query: NoQuery,
    answer: { one: Empty },
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const { policy } = await policyOf(call, tx);
        await deletePolicy(tx, call.accountId, policy.id);
        await endChangedApprovals(tx, call.accountId);
        tx.record({ activity: "policy.delete", targetId: policy.id, meta: { name: policy.name } });
        return {};
      }),
  }),
];

async function policyOf(call: Call<unknown, unknown>, tx: Reader): Promise<PolicyWithRules> {
  const found = await findPolicy(tx, call.accountId, call.param("policyId"));
  if (found === undefined) throw notFound("policy");
  return found;
}

async function savePolicy(
  call: Call<PolicyWrite>,
  tx: ChangeWriter,
  old: PolicyWithRules | null,
): Promise<Policy> {
  const { accountId, body } = call;
  requireRules(body);
  await requireKnownReferences(tx, accountId, body);
  const now = nowSeconds(tx.clock);
  const policy: PolicyRow = {
    id: old?.policy.id ?? newId(),
    accountId,
    name: body.name,
    description: body.description ?? null,
    enabled: body.enabled,
    sourcePostureChecks: [...new Set(body.source_posture_checks)],
    createdAt: old?.policy.createdAt ?? now,
    updatedAt: now,
  };
  const rules = ruleRows(policy, body.rules, old?.rules ?? null);
  await requireEncryptedInput(tx, accountId, rules);
  await putPolicy(tx, policy, rules);
  await endChangedApprovals(tx, accountId);
  const warnings = [...new Set([...emptySides(rules), ...(await warningsFor(tx, accountId, policy.id))])];
  const saved = asPolicy({ policy, rules }, await loadGroupNames(tx, accountId));
  return warnings.length === 0 ? saved : { ...saved, warnings };
}

/**
 * Rules as stored. An id identifies an existing rule of this policy; in a new policy (`old` is null) ids are
 * ignored. NetBird uses the policy's own id for its first rule.
 */
function ruleRows(
  policy: PolicyRow,
  rules: readonly PolicyRuleWrite[],
  old: readonly PolicyRuleRow[] | null,
): PolicyRuleRow[] {
  const oldRuleIds = new Set(old?.map((rule) => rule.id) ?? []);
  return rules.map(({ id: given, ...body }, position) => {
    const id = old === null || given === "" || given === policy.id ? undefined : given;
    if (id !== undefined && !oldRuleIds.delete(id)) {
      throw unprocessable(
        `rules[${position}].id is not (or no longer) a rule of this policy`,
        "leave id out for a new rule",
      );
    }
    return { id: id ?? newId(), accountId: policy.accountId, policyId: policy.id, position, body };
  });
}

async function requireKnownReferences(tx: Reader, accountId: string, policy: PolicyWrite): Promise<void> {
  for (const [i, body] of policy.rules.entries()) {
    await requireKnownGroups(tx, accountId, [...groupsOfRule(body)], `rules[${i}]`);
    const approvers = await knownGroups(tx, accountId, body.approver_groups ?? []);
    const asked = approvers.find(({ settings }) => settings?.requestable === true);
    if (asked !== undefined) {
      throw unprocessable(
        `rules[${i}].approver_groups names ${asked.name}, which is requestable`,
        "people must not come to decide by asking",
      );
    }
    const peers = [body.sourceResource?.id, body.destinationResource?.id].filter((id) => id !== undefined);
    await requireKnownPeers(tx, accountId, peers, `rules[${i}]`);
  }
  const checks = new Set((await listPostureChecks(tx, accountId)).map((check) => check.id));
  const unknown = policy.source_posture_checks.find((id) => !checks.has(id));
  if (unknown !== undefined) {
    throw unprocessable(`source_posture_checks names an unknown posture check, ${unknown}`);
  }
}

/** Warnings for rules that name no sources or no machines. They are accepted as written. */
function emptySides(rules: readonly PolicyRuleRow[]): string[] {
  return rules.flatMap(({ body }) => [
    ...(body.sources?.length === 0 ? [`rule "${body.name}" names no sources: it holds for nobody`] : []),
    ...(body.destinations?.length === 0
      ? [`rule "${body.name}" names no destinations: it holds nowhere`]
      : []),
  ]);
}

/** Surprising consequences of the saved policy, in sentences. */
async function warningsFor(tx: Reader, accountId: string, policyId: string): Promise<string[]> {
  const policies = await listPolicies(tx, accountId);
  const account = await findAccount(tx, accountId);
  const view = await loadGroupNames(tx, accountId);
  const all = view.groups.find((group) => group.isAll)?.id ?? null;
  const named = new Map(
    policies.flatMap(({ policy, rules }) => rules.map((rule) => [rule.id, { policy, rule }] as const)),
  );
  const names = ruleNames(policies);
  const settings = account?.settings ?? defaultSettings();
  const { require } = mapSettings(settings, account?.domain ?? "");
  const defaults = { allowBrowsers: filled(settings).allow_browsers };
  const mapRules = [...named.values()].map(({ policy, rule }) => mapRule(policy, rule, defaults));
  return findShadows(mapRules, all, require).flatMap(({ looser, stricter, fields }) => {
    const one = named.get(looser);
    const other = named.get(stricter);
    if (one === undefined || other === undefined) return [];
    if (one.policy.id !== policyId && other.policy.id !== policyId) return [];
    return [
      `${names.get(looser)} lets some of the same people in without ` +
        `${fields.join(", ")} of ${names.get(stricter)}`,
    ];
  });
}

function asPolicy({ policy, rules }: PolicyWithRules, view: GroupNames): Policy {
  return {
    id: policy.id,
    name: policy.name,
    description: policy.description ?? "",
    enabled: policy.enabled,
    source_posture_checks: policy.sourcePostureChecks,
    rules: rules.map((rule) => asRule(rule, view)),
  };
}

function asRule({ id, body }: PolicyRuleRow, view: GroupNames): PolicyRule {
  const { sources, destinations, sourceResource, destinationResource, ...rest } = body;
  const { description = "", ports = [], port_ranges = [], authorized_groups = {}, ...fields } = rest;
  const named = (groups: readonly string[] | null | undefined) =>
    groups === null || groups === undefined ? null : groups.flatMap((group) => view.minimum(group) ?? []);
  return {
    id,
    ...fields,
    description,
    // As NetBird returns rules: empty fields are left out.
    ...(ports.length === 0 ? {} : { ports }),
    ...(port_ranges.length === 0 ? {} : { port_ranges }),
    ...(Object.keys(authorized_groups).length === 0 ? {} : { authorized_groups }),
    sources: named(sources),
    destinations: named(destinations),
    ...(sourceResource ? { sourceResource } : {}),
    ...(destinationResource ? { destinationResource } : {}),
  };
}
