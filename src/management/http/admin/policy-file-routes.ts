/**
 * /api/policy/…: policy as code. Reads, tests, compares and applies policy files.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { renderFile } from "../../../policy/code/render.ts";
import { NoQuery } from "../../../wire/admin-query.ts";

import { PolicyAccount } from "../../../wire/policy-account.ts";
import {
  AnyObject,
  PolicyApplied,
  PolicyApplyRequest,
  PolicyDiff,
  PolicyDiffRequest,
  PolicyFileAnswer,
  PolicyTestReport,
  PolicyTestRequest,
} from "../../../wire/policy-code-api.ts";
import { policyFileSchema } from "../../../wire/policy-file.ts";
import { renderPolicyText } from "../../../wire/policy-render.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { ChangeWriter } from "../../db/store.ts";
import { findPolicyFile } from "../../db/tables/policy-files.ts";
import { applyPlan } from "../../policy-files/apply-file.ts";
import { diffOf } from "../../policy-files/diff-file.ts";
import { keepText } from "../../policy-files/keep-text.ts";
import { loadPolicyAccount } from "../../policy-files/load-account.ts";
import {
  accountWith,
  type FilePlan,
  fileOf,
  gainsAccess,
  locksEveryoneOut,
  planFile,
} from "../../policy-files/plan-file.ts";
import { noteApplied, settles, shownSource } from "../../policy-files/policy-source.ts";
import { recordForce } from "../../policy-files/saved-tests.ts";
import { reportTests, testsFail } from "../../policy-files/test-report.ts";
import { notFound } from "./access.ts";
import { type Call, type Route, route } from "./route.ts";
import { requireOwnerRemains } from "./user-rules.ts";

export const policyFileRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/policy/file",
    summary: "The account's policies, groups' settings and tests as a policy file",
    access: "read",
    query: NoQuery,
    answer: { one: PolicyFileAnswer },
    handle: async (call) => {
      const { account, text, source } = await call.ctx.store.snapshot(async (tx) => ({
        account: await accountOf(call, tx),
        source: await shownSource(tx, call.accountId),
        text: (await findPolicyFile(tx, call.accountId))?.text ?? null,
      }));
      const file = renderFile(account);
      const kept = keepText(text, account);
      return { version: account.version, text: renderPolicyText(file, kept), file, source };
    },
  }),
  route({
    method: "get",
    path: "/api/policy/schema",
    summary: "JSON Schema of policy files, for editors",
    access: "self",
    query: NoQuery,
    answer: { one: AnyObject },
    handle: async () => policyFileSchema(),
  }),
  route({
    method: "get",
    path: "/api/policy/export",
    summary: "The account as policy sees it, for tests without this server",
    access: "read",
    query: NoQuery,
    answer: { one: PolicyAccount },
    handle: (call) => call.ctx.store.snapshot((tx) => accountOf(call, tx)),
  }),
  route({
    method: "post",
    path: "/api/policy/test",
    summary: "Runs the tests of a policy file on the account with the file in it; stores nothing",
    access: "read",
    query: NoQuery,
    body: PolicyTestRequest,
    answer: { one: PolicyTestReport },
    handle: async (call) => {
      const file = fileOf(call.body);
      const account = await call.ctx.store.snapshot((tx) => accountOf(call, tx));
      return reportTests(accountWith(account, file), nowSeconds(call.ctx.clock));
    },
  }),
  route({
    method: "post",
    path: "/api/policy/diff",
    summary: "What a policy file would change, for whom, and what it would have decided; stores nothing",
    access: "read",
    query: NoQuery,
    body: PolicyDiffRequest,
    answer: { one: PolicyDiff },
    handle: async (call) => {
      const { ctx, accountId, body } = call;
      const file = fileOf(body);
      const { account, isSettling } = await ctx.store.snapshot(async (tx) => ({
        account: await accountOf(call, tx),
        isSettling: await settles(tx, accountId, call.user),
      }));
      const plan = planFile(account, file, nowSeconds(ctx.clock));
      const sessions = ctx.sessions(accountId);
      return { ...(await diffOf(plan, { ctx, sessions, days: body.days })), settles: isSettling };
    },
  }),
  route({
    method: "post",
    path: "/api/policy/apply",
    summary: "Applies a policy file whose difference was shown, whole or not at all",
    access: "write",
    query: NoQuery,
    body: PolicyApplyRequest,
    answer: { one: PolicyApplied },
    also: [409],
    handle: (call) => {
      const file = fileOf(call.body);
      return call.change({ affectsMaps: true }, async (tx, actor) => {
        const account = await accountOf(call, tx);
        const plan = planFile(account, file, nowSeconds(tx.clock));
        requireShownPlan(call, plan);
        const applied = await applyShown(call, tx, plan);
        const hasChanges = plan.changes.length > 0;
        await noteApplied(tx, call.accountId, { actor, body: call.body, hasChanges });
        return applied;
      });
    },
  }),
];

async function accountOf(call: Pick<Call, "accountId" | "ctx">, tx: Reader): Promise<PolicyAccount> {
  const account = await loadPolicyAccount(tx, call.accountId, call.ctx);
  if (account === undefined) throw notFound("account");
  return account;
}

/**
 * Throws ERR_CONFLICT unless the plan is the one shown: the same account version, and the same changes by id.
 */
function requireShownPlan({ body }: Call<PolicyApplyRequest>, { before, digest }: FilePlan): void {
  if (body.version !== before.version) {
    throw new QfError("ERR_CONFLICT", `the account has changed: it is at version ${before.version} now`, {
      hint: "look at the difference again",
    });
  }
  if (body.digest === digest) return;
  throw new QfError("ERR_CONFLICT", "the plan is another than the one that was shown", {
    hint: "look at the difference again",
  });
}

async function applyShown(
  { body, accountId }: Call<PolicyApplyRequest>,
  tx: ChangeWriter,
  plan: FilePlan,
): Promise<PolicyApplied> {
  const now = nowSeconds(tx.clock);
  const tests = reportTests(plan.after, now);
  const force = body.force === true;
  const isGuarded = tests.failed > 0 && (plan.blocks.length === 0 || gainsAccess(plan));
  if (isGuarded && !force) throw testsFail(tests);
  const locksOut = locksEveryoneOut(plan, now);
  if (locksOut && !force) {
    throw new QfError("ERR_CONFLICT", "after this nobody could log in to any machine", {
      hint: "leave someone a way in, or apply it with --force (force in the API)",
    });
  }
  if (plan.changes.length > 0) {
    await applyPlan(tx, plan, { text: body.text ?? null, reason: body.reason ?? null });
    await requireOwnerRemains(tx, accountId);
  }
  const forced = isGuarded || locksOut;
  if (forced) recordForce(tx, accountId, tests);
  const changes = plan.changes.map(({ fields, ...change }) => ({
    ...change,
    ...(fields ? { fields: [...fields] } : {}),
  }));
  return { version: plan.before.version + 1, changes, tests, forced };
}
