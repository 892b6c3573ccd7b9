/**
 * /api/policy/who, what and explain: who may log in where as which local user, and why not.
 *
 * Callers who may read policies may ask about anyone. Everyone may ask about themselves, and is told nothing
 * of rules.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { accessTable, type IdRow } from "../../../policy/code/access-rows.ts";
import { namesOf } from "../../../policy/code/names.ts";
import { rulesOf } from "../../../policy/code/questions.ts";
import { isUnused, reachOfRules } from "../../../policy/code/rule-usage.ts";
import { NoQuery } from "../../../wire/admin-query.ts";
import type { PolicyAccount } from "../../../wire/policy-account.ts";
import {
  ACCESS_ROWS_MAX,
  AccessPage,
  ExplainQuery,
  Explanation,
  PolicyUsage,
  WhatQuery,
  WhoQuery,
} from "../../../wire/policy-code-api.ts";
import { findEventByReceipt } from "../../db/tables/audit-events.ts";
import { findPeer } from "../../db/tables/peers.ts";
import { listPolicies } from "../../db/tables/policies.ts";
import { listRuleUses } from "../../db/tables/rule-uses.ts";
import { accessRow, shownIn } from "../../policy-files/diff-file.ts";
import {
  askedBy,
  type ExplainDeps,
  explainEvent,
  explainQuestion,
  idOf,
  personOf,
} from "../../policy-files/explain.ts";
import { loadPolicyAccount } from "../../policy-files/load-account.ts";
import { mayCall, notFound } from "./access.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";

export const policyAccessRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/policy/who",
    summary: "Who may log in to a machine, as whom, and what for",
    access: "read",
    query: WhoQuery,
    answer: { one: AccessPage },
    handle: async (call) => {
      const account = await accountOf(call);
      const machineId = idOf(namesOf(account).machine, call.query.machine, "machine");
      const rows = tableOf(call, account, { machineId });
      const as = call.query.local_user;
      return pageOf(call.query, as === undefined ? rows : asLocalUser(rows, as), account);
    },
  }),
  route({
    method: "get",
    path: "/api/policy/what",
    summary: "Where a person may log in, as whom, and what for; without a user, the caller",
    access: "self",
    query: WhatQuery,
    answer: { one: AccessPage },
    also: [404],
    handle: async (call) => {
      const account = await accountOf(call);
      const userId = ownOnly(call, personOf(nameable(call, account), call.query.user, call.user.id));
      return pageOf(call.query, tableOf(call, account, { userId }), account);
    },
  }),
  route({
    method: "get",
    path: "/api/policy/usage",
    summary: "For each rule the people and machines it concerns, and when it last decided",
    access: "read",
    query: NoQuery,
    answer: { one: PolicyUsage },
    handle: usageOf,
  }),
  route({
    method: "get",
    path: "/api/policy/explain",
    summary: "A decision with every rule: of a receipt, or whether a user may be a local user on a machine",
    access: "self",
    query: ExplainQuery,
    answer: { one: Explanation },
    also: [404],
    handle: explain,
  }),
];

async function usageOf(call: Call<unknown, unknown>): Promise<PolicyUsage> {
  const { ctx, accountId } = call;
  const { account, uses, policies } = await ctx.store.snapshot(async (tx) => ({
    account: await loadPolicyAccount(tx, accountId, ctx),
    uses: await listRuleUses(tx, accountId),
    policies: await listPolicies(tx, accountId),
  }));
  if (account === undefined) throw notFound("account");
  const now = nowSeconds(ctx.clock);
  const reach = reachOfRules(account);
  const useOf = new Map(uses.map((use) => [use.ruleId, use]));
  const listed = policies.flatMap(({ policy, rules }) =>
    rules.map(({ id }): PolicyUsage["rules"][number] => {
      const { lastAt = null, countedSince = 0 } = useOf.get(id) ?? {};
      const use = { lastAt, countedSince: Math.max(countedSince, policy.updatedAt) };
      const concerned = reach.get(id);
      return {
        ...{ policy_id: policy.id, rule_id: id },
        ...{ people: concerned?.people ?? null, machines: concerned?.machines ?? null },
        last_decided_at: lastAt === null ? null : isoTime(lastAt),
        counted_since: isoTime(use.countedSince),
        unused: concerned === undefined ? null : isUnused(use, now),
      };
    }),
  );
  return { rules: listed };
}

async function explain(call: Call<undefined, ExplainQuery>): Promise<Explanation> {
  const { ctx, accountId, query } = call;
  const account = await accountOf(call);
  const deps: ExplainDeps = {
    ...{ account, clock: ctx.clock, tellsRules: mayCall(call.user.role, "read") },
    machine: (id) => call.read((tx) => findPeer(tx, accountId, id)),
  };
  const { receipt } = query;
  if (receipt !== undefined) {
    const event = await call.read((tx) => findEventByReceipt(tx, accountId, receipt));
    if (event === undefined || (!deps.tellsRules && event.initiatorId !== call.user.id))
      throw notFound("receipt");
    return explainEvent(event, deps);
  }
  nameable(call, account);
  const asked = askedBy(query, account, call.user.id);
  ownOnly(call, asked.userId);
  return explainQuestion(asked, deps);
}

/**
 * Callers who may not read can ask only about themselves, and cannot find out by asking which users exist.
 */
function ownOnly(call: Call<unknown, unknown>, userId: string): string {
  if (userId !== call.user.id && !mayCall(call.user.role, "read")) throw notFound("user");
  return userId;
}

function nameable(call: Call<unknown, { readonly user?: string | undefined }>, account: PolicyAccount) {
  const names = namesOf(account);
  const { user } = call.query;
  if (user === undefined || mayCall(call.user.role, "read")) return names;
  const found = names.person.find(user);
  if (found.kind !== "found" || found.id !== call.user.id) throw notFound("user");
  return names;
}

async function accountOf(call: Call<unknown, unknown>): Promise<PolicyAccount> {
  const { ctx, accountId } = call;
  const account = await ctx.store.snapshot((tx) => loadPolicyAccount(tx, accountId, ctx));
  if (account === undefined) throw notFound("account");
  return account;
}

function tableOf(
  call: Call<unknown, unknown>,
  { users, peers, settings, policies }: PolicyAccount,
  of: { readonly userId?: string; readonly machineId?: string },
): IdRow[] {
  return accessTable({
    users: of.userId === undefined ? users : users.filter(({ id }) => id === of.userId),
    peers,
    machines: of.machineId === undefined ? peers : peers.filter(({ id }) => id === of.machineId),
    settings,
    rules: rulesOf({ policies, settings }),
    nowSeconds: nowSeconds(call.ctx.clock),
  });
}

/** Rows that apply to this local user: its own row, else the one for any local user. */
function asLocalUser(rows: readonly IdRow[], localUser: string): IdRow[] {
  const named = new Set(rows.filter((row) => row.localUser === localUser).map((row) => row.userId));
  return rows.filter(
    (row) => row.localUser === localUser || (row.localUser === "*" && !named.has(row.userId)),
  );
}

/** The page after the cursor, in order of ids. */
function pageOf(
  {
    limit = ACCESS_ROWS_MAX,
    cursor = "",
  }: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
  rows: readonly IdRow[],
  account: PolicyAccount,
): AccessPage {
  const keyOf = ({ userId, machineId, localUser }: IdRow): string => `${userId}.${machineId}.${localUser}`;
  const sorted = rows.map((row) => ({ key: keyOf(row), row })).sort((a, b) => (a.key < b.key ? -1 : 1));
  const rest = sorted.filter(({ key }) => key > cursor);
  const shown = rest.slice(0, limit);
  const names = shownIn(account);
  return {
    total: rows.length,
    rows: shown.map(({ row }) => accessRow(row, names)),
    next_cursor: rest.length > shown.length ? (shown.at(-1)?.key ?? null) : null,
  };
}
