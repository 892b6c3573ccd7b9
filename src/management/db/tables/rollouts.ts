/**
 * Rollouts of releases, and their orders to machines.
 *
 * @module
 */
import { and, asc, desc, eq, inArray } from "drizzle-orm";
import { newId } from "../../../base/random.ts";
import type { AccountId, PeerId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import type { NewRow, Row } from "../schema/schema.ts";
import type { PeerRow } from "./peers.ts";

export type RolloutRow = Row<"rollouts">;
export type RolloutStepRow = Row<"rolloutSteps">;

/** Rows in one INSERT, to stay below the database's limit on parameters. */
const CHUNK = 100;

export async function insertRollout(tx: Writer, row: NewRow<"rollouts">): Promise<void> {
  await tx.sql.insert(tx.t.rollouts).values(row);
}

export async function findRollout(
  tx: Reader,
  accountId: AccountId,
  id: string,
): Promise<RolloutRow | undefined> {
  const { rollouts } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(rollouts)
    .where(and(eq(rollouts.accountId, accountId), eq(rollouts.id, id)));
  return row;
}

/** Newest first. */
export function listRollouts(tx: Reader, accountId: AccountId): Promise<RolloutRow[]> {
  const { rollouts } = tx.t;
  return tx.sql
    .select()
    .from(rollouts)
    .where(eq(rollouts.accountId, accountId))
    .orderBy(desc(rollouts.createdAt), desc(rollouts.id));
}

/** The account's one rollout that is running or may resume. */
export async function findOpenRollout(tx: Reader, accountId: AccountId): Promise<RolloutRow | undefined> {
  const { rollouts } = tx.t;
  const [row] = await tx.sql
    .select()
    .from(rollouts)
    .where(and(eq(rollouts.accountId, accountId), inArray(rollouts.state, ["running", "halted"])));
  return row;
}

/** Running rollouts of all accounts. */
export function listRunningRollouts(tx: Reader): Promise<RolloutRow[]> {
  const { rollouts } = tx.t;
  return tx.sql.select().from(rollouts).where(eq(rollouts.state, "running")).orderBy(asc(rollouts.id));
}

/** Changes the rollout if it is still in this state and stage. Returns whether it was. */
export async function stepRollout(
  tx: Writer,
  { id, state, stage }: Pick<RolloutRow, "id" | "state" | "stage">,
  change: Partial<Pick<RolloutRow, "state" | "stage" | "settledAt" | "why" | "endedAt">>,
): Promise<boolean> {
  const { rollouts } = tx.t;
  const rows = await tx.sql
    .update(rollouts)
    .set(change)
    .where(and(eq(rollouts.id, id), eq(rollouts.state, state), eq(rollouts.stage, stage)))
    .returning({ id: rollouts.id });
  return rows.length > 0;
}

/** Active machines, with the columns that decide whether and how they take a release. */
export function listUpgradable(
  tx: Reader,
  accountId: AccountId,
): Promise<Pick<PeerRow, "id" | "name" | "facts" | "flags">[]> {
  const { peers } = tx.t;
  const active = [eq(peers.accountId, accountId), eq(peers.kind, "machine"), eq(peers.status, "active")];
  return tx.sql
    .select({ id: peers.id, name: peers.name, facts: peers.facts, flags: peers.flags })
    .from(peers)
    .where(and(...active))
    .orderBy(asc(peers.id));
}

export function listRolloutSteps(tx: Reader, rolloutId: string): Promise<RolloutStepRow[]> {
  const { rolloutSteps } = tx.t;
  return tx.sql
    .select()
    .from(rolloutSteps)
    .where(eq(rolloutSteps.rolloutId, rolloutId))
    .orderBy(asc(rolloutSteps.orderedAt), asc(rolloutSteps.peerId));
}

/** Stores an order for each of these machines. Returns those that had none yet. */
export async function insertRolloutSteps(
  tx: Writer,
  rolloutId: string,
  { peerIds, orderedAt }: { readonly peerIds: readonly PeerId[]; readonly orderedAt: number },
): Promise<PeerId[]> {
  const { rolloutSteps } = tx.t;
  const made: PeerId[] = [];
  for (let i = 0; i < peerIds.length; i += CHUNK) {
    const rows = peerIds.slice(i, i + CHUNK).map((peerId) => ({
      ...{ rolloutId, peerId, orderId: newId(), orderedAt },
      ...{ state: "ordered" as const, detail: "" },
    }));
    const added = await tx.sql
      .insert(rolloutSteps)
      .values(rows)
      .onConflictDoNothing()
      .returning({ peerId: rolloutSteps.peerId });
    made.push(...added.map(({ peerId }) => peerId));
  }
  return made;
}

/** Changes the state of an unfinished order. Undefined: there is no such order. */
export async function stepRolloutMachine(
  tx: Writer,
  of: { readonly peerId: PeerId } & ({ readonly orderId: string } | { readonly rolloutId: string }),
  change: Pick<RolloutStepRow, "state" | "detail">,
): Promise<RolloutStepRow | undefined> {
  const { rolloutSteps: r } = tx.t;
  const which = "orderId" in of ? eq(r.orderId, of.orderId) : eq(r.rolloutId, of.rolloutId);
  const [row] = await tx.sql
    .update(r)
    .set(change)
    .where(and(eq(r.peerId, of.peerId), which, inArray(r.state, ["ordered", "working"])))
    .returning();
  return row;
}

/** Deletes failed orders, so that the machines may be ordered again. */
export async function deleteFailedSteps(tx: Writer, rolloutId: string): Promise<void> {
  const { rolloutSteps: r } = tx.t;
  await tx.sql.delete(r).where(and(eq(r.rolloutId, rolloutId), eq(r.state, "failed")));
}
