/**
 * Keeps each state of an account's policies, with who made it, so that it can be seen and restored.
 *
 * @module
 */
import { nowSeconds } from "../../base/clock.ts";
import { isSameState, policyStateOf } from "../../policy/code/policy-state.ts";
import type { POLICY_STATE_WAYS, PolicyState } from "../../wire/policy-history.ts";
import type { AccountId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { ChangeWriter } from "../db/store.ts";
import { addPolicyState, listPolicyStates, type PolicyStateRow } from "../db/tables/policy-states.ts";
import { loadPolicies } from "./load-account.ts";

/** Whose change it is, and how it came. */
export interface StateMaker {
  readonly userId: string;
  readonly userName: string;
  readonly via: (typeof POLICY_STATE_WAYS)[number];
  readonly reason: string;
}

/** Nobody who is known: it was there before states were kept. */
const UNKNOWN: StateMaker = { userId: "", userName: "", via: "api", reason: "" };

/** Makes the change, then keeps the state that it made, where that is another than the last one. */
export async function withState<T>(
  tx: ChangeWriter,
  {
    ctx,
    accountId,
    maker,
  }: { ctx: Pick<ManagementContext, "store">; accountId: AccountId; maker: StateMaker },
  change: () => Promise<T>,
): Promise<T> {
  const result = await change();
  const state = policyStateOf(await loadPolicies(tx, accountId));
  const last = await lastState(tx, ctx, accountId);
  if (isSameState(last.state, state)) return result;
  await addPolicyState(
    tx,
    rowOf(state, { accountId, number: last.number + 1, at: nowSeconds(tx.clock), maker }),
  );
  return result;
}

/** The last state that is kept; at the first change the one before it, as other readers still see it. */
async function lastState(
  tx: ChangeWriter,
  { store }: Pick<ManagementContext, "store">,
  accountId: AccountId,
): Promise<PolicyStateRow> {
  const [last] = await listPolicyStates(tx, accountId, { limit: 1 });
  if (last !== undefined) return last;
  const before = policyStateOf(await store.snapshot((reader) => loadPolicies(reader, accountId)));
  const first = rowOf(before, { accountId, number: 1, at: nowSeconds(tx.clock), maker: UNKNOWN });
  await addPolicyState(tx, first);
  return first;
}

interface Made {
  readonly accountId: AccountId;
  readonly number: number;
  readonly at: number;
  readonly maker: StateMaker;
}

function rowOf(state: PolicyState, { accountId, number, at, maker }: Made): PolicyStateRow {
  return { accountId, number, state, bytes: JSON.stringify(state).length, at, ...maker };
}
