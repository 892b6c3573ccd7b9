/**
 * /api/posture-checks: what a device must report of itself before a policy applies to it.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { newId } from "../../../base/random.ts";
import { Empty, NoQuery, PageQuery, SaveQuery } from "../../../wire/admin-query.ts";
import { nameKey } from "../../../wire/name-key.ts";
import { PostureCheck, PostureCheckWrite } from "../../../wire/posture.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import {
  deletePostureCheck,
  findPostureCheck,
  listPolicies,
  listPostureChecks,
  type PostureCheckRow,
  putPostureCheck,
} from "../../db/tables/policies.ts";
import { notFound } from "./access.ts";
import { listingById } from "./paging.ts";
import { unprocessable } from "./policy-rules.ts";
import { type Call, type Route, route } from "./route.ts";

export const postureRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/posture-checks",
    summary: "Posture checks",
    access: "read",
    query: PageQuery,
    answer: { listOf: PostureCheck },
    handle: (call) =>
      call.read(async (tx) =>
        listingById(call.query, await listPostureChecks(tx, call.accountId), asPostureCheck),
      ),
  }),
  route({
    method: "post",
    path: "/api/posture-checks",
    summary: "Makes a posture check",
    access: "write",
    query: NoQuery,
    body: PostureCheckWrite,
    answer: { one: PostureCheck },
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const now = nowSeconds(tx.clock);
        const row = rowOf(call, { id: newId(), createdAt: now, updatedAt: now });
        await requireFreeName(tx, row);
        await putPostureCheck(tx, row);
        tx.record({ activity: "posture.check.create", targetId: row.id, meta: { name: row.name } });
        return asPostureCheck(row);
      }),
  }),
  route({
    method: "get",
    path: "/api/posture-checks/:postureCheckId",
    summary: "One posture check",
    access: "read",
    query: NoQuery,
    answer: { one: PostureCheck },
    handle: (call) => call.read(async (tx) => asPostureCheck(await checkOf(call, tx))),
  }),
  route({
    method: "put",
    path: "/api/posture-checks/:postureCheckId",
    summary: "Replaces a posture check",
    access: "write",
    query: SaveQuery,
    tests: "new",
    body: PostureCheckWrite,
    answer: { one: PostureCheck },
    also: [409],
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const { id, createdAt } = await checkOf(call, tx);
        const row = rowOf(call, { id, createdAt, updatedAt: nowSeconds(tx.clock) });
        await requireFreeName(tx, row);
        await putPostureCheck(tx, row);
        tx.record({ activity: "posture.check.update", targetId: id, meta: { name: row.name } });
        return asPostureCheck(row);
      }),
  }),
  route({
    method: "delete",
    path: "/api/posture-checks/:postureCheckId",
    summary: "Deletes a posture check that no policy asks for",
    access: "write",
    query: NoQuery,
    answer: { one: Empty },
    also: [409],
    handle: (call) =>
      call.change({ affectsMaps: true }, async (tx) => {
        const check = await checkOf(call, tx);
        const policies = await listPolicies(tx, call.accountId);
        const user = policies.find(({ policy }) => policy.sourcePostureChecks.includes(check.id));
        if (user !== undefined) {
          throw new QfError("ERR_CONFLICT", `the posture check is used by policy ${user.policy.name}`);
        }
        await deletePostureCheck(tx, call.accountId, check.id);
        tx.record({ activity: "posture.check.delete", targetId: check.id, meta: { name: check.name } });
        return {};
      }),
  }),
];

function rowOf(
  call: Call<PostureCheckWrite>,
  row: Pick<PostureCheckRow, "id" | "createdAt" | "updatedAt">,
): PostureCheckRow {
  const { name, description = "", checks = {} } = call.body;
  if (Object.values(checks).every((check) => check === undefined)) {
    throw unprocessable("checks is empty: nothing would be checked", "name what a device must meet");
  }
  return { ...row, accountId: call.accountId, name, description, checks };
}

async function requireFreeName(tx: Reader, { accountId, id, name }: PostureCheckRow): Promise<void> {
  const checks = await listPostureChecks(tx, accountId);
  const taken = checks.find((check) => check.id !== id && nameKey(check.name) === nameKey(name));
  if (taken !== undefined) throw unprocessable(`there is a posture check ${taken.name} already`);
}

async function checkOf(call: Call<unknown, unknown>, tx: Reader): Promise<PostureCheckRow> {
  const check = await findPostureCheck(tx, call.accountId, call.param("postureCheckId"));
  if (check === undefined) throw notFound("posture check");
  return check;
}

function asPostureCheck(row: PostureCheckRow): PostureCheck {
  return { id: row.id, name: row.name, description: row.description, checks: row.checks };
}
