/**
 * /api/policy/history: earlier states of the policies with their authors, each available as a policy file
 * that can be applied again.
 *
 * @module
 */
import { planOf } from "../../../policy/code/plan.ts";
import { accountInState, renderState } from "../../../policy/code/policy-state.ts";
import { HistoryQuery, NoQuery } from "../../../wire/admin-query.ts";
import type { PolicyAccount } from "../../../wire/policy-account.ts";
import { PolicyHistoryEntry, PolicyHistoryState } from "../../../wire/policy-history.ts";
import { renderPolicyText } from "../../../wire/policy-render.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import { countPolicyStates, listPolicyStates, type PolicyStateRow } from "../../db/tables/policy-states.ts";
import { loadPolicyAccount } from "../../policy-files/load-account.ts";
import { notFound } from "./access.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";

const PATH = "/api/policy/history";
const PAGE_DEFAULT = 50;
const NUMBER = /^[1-9]\d{0,9}$/;

export const policyHistoryRoutes: readonly Route[] = [
  route({
    method: "get",
    path: PATH,
    summary: "Earlier states of the policies, newest first: who made each, when, and what it changed",
    access: "read",
    query: HistoryQuery,
    answer: { listOf: PolicyHistoryEntry },
    handle: (call) =>
      call.ctx.store.snapshot(async (tx) => {
        const { limit = PAGE_DEFAULT, cursor } = call.query;
        const account = await accountOf(call, tx);
        const total = await countPolicyStates(tx, call.accountId);
        // Reads one more, to show what the last listed state changed.
        const rows = await listPolicyStates(tx, call.accountId, { limit: limit + 1, before: cursor });
        const newest = await newestNumber(call, tx);
        const items = rows
          .slice(0, limit)
          .map((row, i) => entryOf(account, row, { was: rows[i + 1], newest }));
        const last = items.at(-1);
        const next = rows.length > limit && last !== undefined ? { cursor: String(last.number) } : null;
        return { items, total, next };
      }),
  }),
  route({
    method: "get",
    path: `${PATH}/:stateNumber`,
    summary: "One earlier state, as a policy file that would bring it back",
    access: "read",
    query: NoQuery,
    answer: { one: PolicyHistoryState },
    handle: (call) =>
      call.ctx.store.snapshot(async (tx) => {
        const account = await accountOf(call, tx);
        const [row, was] = await statesFrom(call, tx);
        if (row === undefined) throw notFound("policy state");
        const file = renderState(account, row.state);
        const newest = await newestNumber(call, tx);
        return { ...entryOf(account, row, { was, newest }), text: renderPolicyText(file, null), file };
      }),
  }),
];

/** The requested state and the one before it. */
async function statesFrom(call: Call<unknown, unknown>, tx: Reader): Promise<PolicyStateRow[]> {
  const number = call.param("stateNumber");
  if (!NUMBER.test(number)) return [];
  const rows = await listPolicyStates(tx, call.accountId, { limit: 2, before: Number(number) + 1 });
  return rows[0]?.number === Number(number) ? rows : [];
}

async function newestNumber(call: Call<unknown, unknown>, tx: Reader): Promise<number> {
  return (await listPolicyStates(tx, call.accountId, { limit: 1 }))[0]?.number ?? 0;
}

function entryOf(
  account: PolicyAccount,
  { number, at, userId, userName, via, reason, state }: PolicyStateRow,
  { was, newest }: { readonly was: PolicyStateRow | undefined; readonly newest: number },
): PolicyHistoryEntry {
  const before = was === undefined ? undefined : accountInState(account, was.state);
  const changes = before === undefined ? [] : planOf(before, accountInState(before, state));
  return {
    ...{ number, at: isoTime(at), by: userId === "" ? null : { id: userId, name: userName } },
    ...{ via, reason, current: number === newest },
    changes: changes.map(({ fields, ...change }) => ({
      ...change,
      ...(fields ? { fields: [...fields] } : {}),
    })),
  };
}

async function accountOf(call: Call<unknown, unknown>, tx: Reader): Promise<PolicyAccount> {
  const account = await loadPolicyAccount(tx, call.accountId, call.ctx);
  if (account === undefined) throw notFound("account");
  return account;
}
