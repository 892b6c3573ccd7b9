/**
 * History of an account's policies: each state with its author, so that it can be shown and restored.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import type { PolicyChange } from "../../policy/code/plan.ts";
import { changesBetween, isSameState, policyStateOf } from "../../policy/code/policy-state.ts";
import type { PolicyChangeEntry } from "../../wire/policy-code-api.ts";
import type { POLICY_STATE_WAYS, PolicyState } from "../../wire/policy-history.ts";
import type { AccountId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { ChangeWriter } from "../db/store.ts";
import { addPolicyState, listPolicyStates, type PolicyStateRow } from "../db/tables/policy-states.ts";
import { loadPolicies } from "./load-account.ts";
import { keptElsewhere, sourceOf } from "./policy-source.ts";

/** The author of a change, and how it was made. */
export interface StateMaker {
  readonly userId: string;
  readonly userName: string;
  readonly via: (typeof POLICY_STATE_WAYS)[number];
  readonly reason: string;
}

/** The unknown author of the state that existed before the history. */
const UNKNOWN: StateMaker = { userId: "", userName: "", via: "api", reason: "" };

/** Audit events of every change of what a policy file contains. Changes without one cost no query. */
const POLICY_EVENT = /^(?:policy|group)\./;

/**
 * Makes the change, then stores the new state of the policies if it differs from the last one. Throws
 * ERR_FORBIDDEN if the change is one that has to be made where the policies are kept.
 */
export async function withState<T>(
  tx: ChangeWriter,
  {
    ctx,
    accountId,
    maker,
    isBySource,
  }: {
    ctx: Pick<ManagementContext, "store">;
    accountId: AccountId;
    maker: StateMaker;
    /** Whether the maker may change policies that are kept elsewhere. */
    isBySource: boolean;
  },
  change: () => Promise<T>,
): Promise<T> {
  const source = isBySource ? "" : await sourceOf(tx, accountId);
  const before = source === "" ? null : policyStateOf(await loadPolicies(tx, accountId));
  const result = await change();
  if (!tx.events.some(({ activity }) => POLICY_EVENT.test(activity))) return result;
  const account = await loadPolicies(tx, accountId);
  const state = policyStateOf(account);
  if (before !== null && !isSameState(before, state)) throw keptElsewhere(source);
  const last = await lastState(tx, ctx, accountId);
  if (isSameState(last.state, state)) return result;
  const ids = new Set(account.groups.map(({ id }) => id));
  const changes = changesBetween(last.state, state, (id) => ids.has(id));
  const made = { accountId, number: last.number + 1, at: nowSeconds(tx.clock), maker };
  await addPolicyState(tx, rowOf(state, changes.map(asEntry), made));
  return result;
}

/** The last stored state. The first change also stores the state before it, which other readers still see. */
async function lastState(
  tx: ChangeWriter,
  { store }: Pick<ManagementContext, "store">,
  accountId: AccountId,
): Promise<PolicyStateRow> {
  const [last] = await listPolicyStates(tx, accountId, { limit: 1 });
  if (last !== undefined) return last;
  const before = policyStateOf(await store.snapshot((reader) => loadPolicies(reader, accountId)));
  const first = rowOf(before, [], { accountId, number: 1, at: nowSeconds(tx.clock), maker: UNKNOWN });
  await addPolicyState(tx, first);
  return first;
}

interface Made {
  readonly accountId: AccountId;
  readonly number: number;
  readonly at: number;
  readonly maker: StateMaker;
}

function rowOf(
  state: PolicyState,
  changes: PolicyChangeEntry[],
  { accountId, number, at, maker }: Made,
): PolicyStateRow {
  const bytes = JSON.stringify(state).length + JSON.stringify(changes).length;
  return { accountId, number, state, changes, bytes, at, ...maker };
}

/** A change as the API shows it. */
export function asEntry({ fields, ...change }: PolicyChange): PolicyChangeEntry {
  return { ...change, ...(fields ? { fields: [...fields] } : {}) };
}
