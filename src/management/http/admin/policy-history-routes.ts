/**
 * /api/policy/history: earlier states of the policies with their authors, each available as a policy file
 * that can be applied again.
 *
 * @module
 */
import { changesBetween, renderState } from "../../../policy/code/policy-state.ts";
import { HistoryQuery, NoQuery } from "../../../wire/admin-query.ts";
import type { PolicyAccount } from "../../../wire/policy-account.ts";
import type { PolicyChangeEntry } from "../../../wire/policy-code-api.ts";
import { PolicyHistoryEntry, PolicyHistoryState } from "../../../wire/policy-history.ts";
import { renderPolicyText } from "../../../wire/policy-render.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import {
  countPolicyStates,
  listPolicyStateHeads,
  listPolicyStates,
  type PolicyStateHead,
} from "../../db/tables/policy-states.ts";
import { asEntry } from "../../policy-files/keep-state.ts";
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
        const { kept, newest } = await countPolicyStates(tx, call.accountId);
        // One more than is shown: whether there is another page.
        const page = { limit: limit + 1, before: cursor };
        const heads = await listPolicyStateHeads(tx, call.accountId, page);
        const shown = heads.slice(0, limit);
        const older = await changesOfOlder(tx, call.accountId, shown);
        const items = shown.map((head) =>
          entryOf(head, head.changes ?? older.get(head.number) ?? [], newest),
        );
        const last = items.at(-1);
        const next = heads.length > limit && last !== undefined ? { cursor: String(last.number) } : null;
        return { items, total: kept, next };
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
        const number = call.param("stateNumber");
        if (!NUMBER.test(number)) throw notFound("policy state");
        const page = { limit: 1, before: Number(number) + 1 };
        const [row] = await listPolicyStates(tx, call.accountId, page);
        if (row === undefined || row.number !== Number(number)) throw notFound("policy state");
        const file = renderState(await accountOf(call, tx), row.state);
        const { newest } = await countPolicyStates(tx, call.accountId);
        const older = await changesOfOlder(tx, call.accountId, [row]);
        const entry = entryOf(row, row.changes ?? older.get(row.number) ?? [], newest);
        return { ...entry, text: renderPolicyText(file, null), file };
      }),
  }),
];

/** Changes of states from before they were stored, which are the last of a page. */
async function changesOfOlder(
  tx: Reader,
  accountId: AccountId,
  page: readonly PolicyStateHead[],
): Promise<Map<number, PolicyChangeEntry[]>> {
  const older = page.filter(({ changes }) => changes === null);
  const [first] = older;
  if (first === undefined) return new Map();
  // One more: the state that the last of them changed.
  const before = first.number + 1;
  const states = await listPolicyStates(tx, accountId, { limit: older.length + 1, before });
  return new Map(
    states.flatMap(({ number, state }, i) => {
      const was = states[i + 1]?.state;
      return was === undefined
        ? []
        : [[number, changesBetween(was, state, () => true).map(asEntry)] as const];
    }),
  );
}

function entryOf(
  { number, at, userId, userName, via, reason }: PolicyStateHead,
  changes: readonly PolicyChangeEntry[],
  newest: number,
): PolicyHistoryEntry {
  return {
    ...{ number, at: isoTime(at), by: userId === "" ? null : { id: userId, name: userName } },
    ...{ via, reason, current: number === newest, changes: [...changes] },
  };
}

async function accountOf(call: Call<unknown, unknown>, tx: Reader): Promise<PolicyAccount> {
  const account = await loadPolicyAccount(tx, call.accountId, call.ctx);
  if (account === undefined) throw notFound("account");
  return account;
}
