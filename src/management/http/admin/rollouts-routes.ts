/**
 * /api/rollouts: upgrades machines to a release in stages, where their root user allows it.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { newId } from "../../../base/random.ts";
import { NoQuery, PageQuery } from "../../../wire/admin-query.ts";
import { Rollout, RolloutMachine, RolloutWrite } from "../../../wire/rollout.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import type { ChangeWriter } from "../../db/store.ts";
import { findGroup } from "../../db/tables/groups.ts";
import {
  deleteFailedSteps,
  findOpenRollout,
  findRollout,
  insertRollout,
  listRollouts,
  type RolloutRow,
  stepRollout,
} from "../../db/tables/rollouts.ts";
import { requireOffered } from "../../rollouts/offered-release.ts";
import { rolloutMachines } from "../../rollouts/rollout-machines.ts";
import { rolloutMachineViews, rolloutView } from "../../rollouts/rollout-view.ts";
import { notFound } from "./access.ts";
import { listing, listingById } from "./paging.ts";
import { type Call, type Route, route } from "./route.ts";

const PATH = "/api/rollouts";
const ONE = `${PATH}/:rolloutId`;

export const rolloutRoutes: readonly Route[] = [
  route({
    method: "get",
    path: PATH,
    summary: "Rollouts of releases, newest first, and how far each has come",
    access: "read",
    query: PageQuery,
    answer: { listOf: Rollout },
    handle: (call) =>
      call.read(async (tx) => {
        const rows = await listRollouts(tx, call.accountId);
        const views = new Map<string, Rollout>();
        for (const row of rows) views.set(row.id, await viewOf(call, tx, row));
        return listingById(call.query, [...views.values()], (one) => one);
      }),
  }),
  route({
    method: "post",
    path: PATH,
    summary: "Moves machines to a release in stages; one rollout goes on at a time",
    access: "write",
    query: NoQuery,
    body: RolloutWrite,
    answer: { one: Rollout },
    also: [404, 409],
    handle: (call) => startRollout(call),
  }),
  route({
    method: "get",
    path: ONE,
    summary: "One rollout",
    access: "read",
    query: NoQuery,
    answer: { one: Rollout },
    handle: (call) => call.read(async (tx) => viewOf(call, tx, await rolloutOf(call, tx))),
  }),
  route({
    method: "get",
    path: `${ONE}/machines`,
    summary: "Machines that were told to take the release, and what became of that",
    access: "read",
    query: PageQuery,
    answer: { listOf: RolloutMachine },
    handle: (call) =>
      call.read(async (tx) => {
        const machines = await rolloutMachines(tx, await rolloutOf(call, tx), call.ctx.isConnected);
        return listing(call.query, rolloutMachineViews(machines), {
          keyOf: (one) => one.peer_id,
          render: (one) => one,
        });
      }),
  }),
  route({
    method: "post",
    path: `${ONE}/halt`,
    summary: "Halts a rollout: no further machine is told",
    access: "write",
    query: NoQuery,
    answer: { one: Rollout },
    also: [409],
    handle: (call) =>
      stepped(call, ["running", "halted"], async (tx, row) => {
        if (row.state === "halted") return { state: "halted" };
        tx.record({
          activity: "rollout.halt",
          targetId: row.id,
          meta: { version: row.version, why: "by hand" },
        });
        return { state: "halted", why: "by hand", settledAt: null };
      }),
  }),
  route({
    method: "post",
    path: `${ONE}/resume`,
    summary: "Goes on with a rollout that halted; machines that failed are told again",
    access: "write",
    query: NoQuery,
    answer: { one: Rollout },
    also: [409],
    handle: (call) =>
      stepped(call, ["halted"], async (tx, row) => {
        await deleteFailedSteps(tx, row.id);
        tx.record({ activity: "rollout.resume", targetId: row.id, meta: { version: row.version } });
        return { state: "running", why: "", settledAt: null };
      }),
  }),
  route({
    method: "delete",
    path: ONE,
    summary: "Ends a rollout; machines that have the release keep it",
    access: "write",
    query: NoQuery,
    answer: { one: Rollout },
    also: [409],
    handle: (call) =>
      stepped(call, ["running", "halted"], async (tx, row) => {
        tx.record({ activity: "rollout.cancel", targetId: row.id, meta: { version: row.version } });
        return { state: "cancelled", endedAt: nowSeconds(tx.clock) };
      }),
  }),
];

type AnyCall = Pick<Call, "accountId" | "ctx" | "param">;

async function startRollout(call: Call<RolloutWrite>): Promise<Rollout> {
  const { group = null, stages, pause_seconds: pauseSeconds, failures_max: failuresMax } = call.body;
  const { releases, clock } = call.ctx;
  const version = await requireOffered(releases, call.body.version, clock);
  return call.change({}, async (tx) => {
    const name = group === null ? "all machines" : (await findGroup(tx, call.accountId, group))?.name;
    if (name === undefined) throw notFound("group");
    if ((await findOpenRollout(tx, call.accountId)) !== undefined) {
      throw new QfError("ERR_CONFLICT", "a rollout goes on already", { hint: "wait for it, or cancel it" });
    }
    const row: RolloutRow = {
      ...{ id: newId(), accountId: call.accountId, version, groupId: group, stages, stage: 0 },
      ...{ settledAt: null, pauseSeconds, failuresMax, state: "running", why: "" },
      ...{ createdAt: nowSeconds(tx.clock), endedAt: null },
    };
    await insertRollout(tx, row);
    const meta = { version, machines: name, stages: stages.join(",") };
    tx.record({ activity: "rollout.create", targetId: row.id, meta });
    return viewOf(call, tx, row);
  });
}

async function stepped(
  call: Call,
  from: readonly RolloutRow["state"][],
  change: (tx: ChangeWriter, row: RolloutRow) => Promise<Parameters<typeof stepRollout>[2]>,
): Promise<Rollout> {
  return call.change({}, async (tx) => {
    const row = await rolloutOf(call, tx);
    if (!from.includes(row.state) || !(await stepRollout(tx, row, await change(tx, row)))) {
      throw new QfError("ERR_CONFLICT", `the rollout is ${row.state}`);
    }
    return viewOf(call, tx, await rolloutOf(call, tx));
  });
}

async function rolloutOf(call: AnyCall, tx: Reader): Promise<RolloutRow> {
  const row = await findRollout(tx, call.accountId, call.param("rolloutId"));
  if (row === undefined) throw notFound("rollout");
  return row;
}

async function viewOf({ ctx }: Pick<AnyCall, "ctx">, tx: Reader, row: RolloutRow): Promise<Rollout> {
  return rolloutView(row, await rolloutMachines(tx, row, ctx.isConnected));
}
