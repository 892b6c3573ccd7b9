/**
 * /api/setup-keys: a key is shown in full once, in the answer to its creation.
 *
 * @module
 */

import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { newId, newSecret } from "../../../base/random.ts";
import { NEVER, SetupKey, SetupKeyCreateRequest, SetupKeyRequest } from "../../../wire/admin-api.ts";
import { Empty, NoQuery, PageQuery } from "../../../wire/admin-query.ts";
import { SETUP_KEY_PREFIX } from "../../../wire/secret-kind.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import {
  deleteSetupKey,
  ENDLESS,
  findSetupKey,
  hashSetupKey,
  insertSetupKey,
  listSetupKeys,
  maskSetupKey,
  type SetupKeyRow,
  updateSetupKey,
} from "../../db/tables/setup-keys.ts";
import { notFound } from "./access.ts";
import { listingById } from "./paging.ts";
import { requireAssignableGroups } from "./references.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";

export const setupKeyRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/setup-keys",
    summary: "Setup keys, masked",
    access: "read",
    query: PageQuery,
    answer: { listOf: SetupKey },
    handle: (call) =>
      call.read(async (tx) =>
        listingById(call.query, await listSetupKeys(tx, call.accountId), (row) => asSetupKey(row, call)),
      ),
  }),
  route({
    method: "post",
    path: "/api/setup-keys",
    summary: "Makes a setup key; the answer holds it whole, once",
    access: "write",
    query: NoQuery,
    body: SetupKeyCreateRequest,
    answer: { one: SetupKey },
    handle: (call) => createSetupKey(call),
  }),
  route({
    method: "get",
    path: "/api/setup-keys/:keyId",
    summary: "One setup key, masked",
    access: "read",
    query: NoQuery,
    answer: { one: SetupKey },
    handle: (call) => call.read(async (tx) => asSetupKey(await keyOf(call, tx), call)),
  }),
  route({
    method: "put",
    path: "/api/setup-keys/:keyId",
    summary: "Revokes a key or changes its groups; a revoked key stays revoked",
    access: "write",
    query: NoQuery,
    body: SetupKeyRequest,
    answer: { one: SetupKey },
    handle: (call) =>
      call.change({}, async (tx) => {
        const key = await keyOf(call, tx);
        const { revoked, auto_groups } = call.body;
        if (key.revoked && !revoked) throw new QfError("ERR_UNPROCESSABLE", "a revoked key stays revoked");
        await requireAssignableGroups(tx, call.accountId, auto_groups);
        await updateSetupKey(tx, call.accountId, key.id, { revoked, autoGroups: [...new Set(auto_groups)] });
        const activity = revoked && !key.revoked ? "setupkey.revoke" : "setupkey.update";
        tx.record({ activity, targetId: key.id, meta: { name: key.name, key: key.masked } });
        return asSetupKey(await keyOf(call, tx), call);
      }),
  }),
  route({
    method: "delete",
    path: "/api/setup-keys/:keyId",
    summary: "Deletes a key; machines that came with it stay",
    access: "write",
    query: NoQuery,
    answer: { one: Empty },
    handle: (call) =>
      call.change({}, async (tx) => {
        const key = await keyOf(call, tx);
        await deleteSetupKey(tx, call.accountId, key.id);
        tx.record({
          activity: "setupkey.delete",
          targetId: key.id,
          meta: { name: key.name, key: key.masked },
        });
        return {};
      }),
  }),
];

async function createSetupKey(call: Call<SetupKeyCreateRequest>): Promise<SetupKey> {
  const { name, type, expires_in, auto_groups, usage_limit, ephemeral, allow_extra_dns_labels } = call.body;
  if (type === "one-off" && usage_limit > 1) {
    throw new QfError("ERR_UNPROCESSABLE", "usage_limit of a one-off key is 1", {
      hint: "make it reusable, or leave the limit at 1",
    });
  }
  const secret = newSecret(SETUP_KEY_PREFIX);
  return call.change({}, async (tx) => {
    await requireAssignableGroups(tx, call.accountId, auto_groups);
    const now = nowSeconds(tx.clock);
    const row: SetupKeyRow = {
      id: newId(),
      accountId: call.accountId,
      name,
      hash: hashSetupKey(secret),
      masked: maskSetupKey(secret),
      type,
      usageLimit: type === "one-off" ? 1 : usage_limit,
      usedTimes: 0,
      autoGroups: [...new Set(auto_groups)],
      ephemeral: ephemeral ?? false,
      allowExtraDnsLabels: allow_extra_dns_labels ?? false,
      revoked: false,
      createdAt: now,
      updatedAt: now,
      expiresAt: expires_in === 0 ? ENDLESS : now + expires_in,
      lastUsedAt: null,
    };
    await insertSetupKey(tx, row);
    tx.record({ activity: "setupkey.add", targetId: row.id, meta: { name, key: row.masked, type } });
    return { ...asSetupKey(row, call), key: secret };
  });
}

async function keyOf(call: Call<unknown, unknown>, tx: Reader): Promise<SetupKeyRow> {
  const key = await findSetupKey(tx, call.accountId, call.param("keyId"));
  if (key === undefined) throw notFound("setup key");
  return key;
}

function asSetupKey(row: SetupKeyRow, call: Call<unknown, unknown>): SetupKey {
  const state = stateOf(row, nowSeconds(call.ctx.clock));
  return {
    id: row.id,
    key: row.masked,
    name: row.name,
    expires: row.expiresAt === ENDLESS ? NEVER : isoTime(row.expiresAt),
    type: row.type,
    valid: state === "valid",
    revoked: row.revoked,
    used_times: row.usedTimes,
    last_used: row.lastUsedAt === null ? NEVER : isoTime(row.lastUsedAt),
    state,
    auto_groups: row.autoGroups,
    updated_at: isoTime(row.updatedAt),
    usage_limit: row.usageLimit,
    ephemeral: row.ephemeral,
    allow_extra_dns_labels: row.allowExtraDnsLabels,
  };
}

function stateOf(row: SetupKeyRow, now: number): SetupKey["state"] {
  if (row.revoked) return "revoked";
  if (row.expiresAt !== ENDLESS && row.expiresAt <= now) return "expired";
  return row.usageLimit !== 0 && row.usedTimes >= row.usageLimit ? "overused" : "valid";
}
