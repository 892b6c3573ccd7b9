/**
 * /api/users/{userId}/tokens: a token is shown once, in the answer to its creation.
 *
 * @module
 */

import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { newId, newSecret } from "../../../base/random.ts";
import {
  NEVER,
  PersonalAccessToken,
  PersonalAccessTokenGenerated,
  PersonalAccessTokenRequest,
} from "../../../wire/admin-api.ts";
import { Empty, NoQuery, PageQuery } from "../../../wire/admin-query.ts";
import { API_TOKEN_PREFIX, SSH_TOKEN_PREFIX } from "../../../wire/secret-kind.ts";
import type { Reader } from "../../db/engine/transaction.ts";
import {
  type ApiTokenRow,
  deleteToken,
  findToken,
  insertToken,
  listTokens,
  newTokenRow,
} from "../../db/tables/api-tokens.ts";
import { revokeLoginsOf } from "../../db/tables/logins.ts";
import { findUser, type UserRow } from "../../db/tables/users.ts";
import { mayCall, notFound } from "./access.ts";
import { listingById } from "./paging.ts";
import { type Call, isoTime, type Route, route } from "./route.ts";
import { requireMayMakeTokenFor } from "./user-rules.ts";

const DAY_SECONDS = 86_400;
/** Most tokens of one user. */
const TOKENS_MAX = 100;

export const tokenRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/users/:userId/tokens",
    summary: "Tokens of a user, without their secrets",
    access: "self",
    query: PageQuery,
    answer: { listOf: PersonalAccessToken },
    handle: (call) =>
      call.read(async (tx) => {
        const user = await visibleUser(call, tx, call.user, "read");
        return listingById(call.query, await listTokens(tx, call.accountId, user.id), asToken);
      }),
  }),
  route({
    method: "get",
    path: "/api/users/:userId/tokens/:tokenId",
    summary: "One token, without its secret",
    access: "self",
    query: NoQuery,
    answer: { one: PersonalAccessToken },
    handle: (call) =>
      call.read(async (tx) => {
        const user = await visibleUser(call, tx, call.user, "read");
        return asToken(await tokenOf(call, tx, user));
      }),
  }),
  route({
    method: "post",
    path: "/api/users/:userId/tokens",
    summary: "Makes a token for oneself or a service user; the answer holds it, once",
    access: "self",
    query: NoQuery,
    body: PersonalAccessTokenRequest,
    answer: { one: PersonalAccessTokenGenerated },
    also: [409],
    handle: (call) => createToken(call),
  }),
  route({
    method: "delete",
    path: "/api/users/:userId/tokens/:tokenId",
    summary: "Deletes a token: it opens nothing from now on",
    access: "self",
    query: NoQuery,
    answer: { one: Empty },
    handle: (call) =>
      call.change({}, async (tx, actor) => {
        const user = await visibleUser(call, tx, actor, "write");
        if (user.role === "owner" && user.id !== actor.id && actor.role !== "owner") {
          throw new QfError("ERR_FORBIDDEN", "only an owner deletes an owner's token");
        }
        const token = await tokenOf(call, tx, user);
        await deleteToken(tx, call.accountId, token.id);
        if (token.scope === "ssh") {
          await revokeLoginsOf(tx, { userId: user.id, apiTokenId: token.id });
          tx.affectMaps();
        }
        const meta = { name: token.name, user: user.name };
        tx.record({ activity: "personal.access.token.delete", targetId: user.id, meta });
        return {};
      }),
  }),
];

async function createToken(call: Call<PersonalAccessTokenRequest>): Promise<PersonalAccessTokenGenerated> {
  const { name, expires_in, scope = "api" } = call.body;
  const secret = newSecret(scope === "ssh" ? SSH_TOKEN_PREFIX : API_TOKEN_PREFIX);
  return call.change({}, async (tx, actor) => {
    const user = await visibleUser(call, tx, actor, "write");
    requireMayMakeTokenFor(actor, user);
    if (scope === "ssh" && !user.isServiceUser) {
      throw new QfError("ERR_UNPROCESSABLE", "scope ssh is for service users: people sign in", {
        hint: "leave scope out, or create a service user",
      });
    }
    if ((await listTokens(tx, call.accountId, user.id)).length >= TOKENS_MAX) {
      throw new QfError("ERR_CONFLICT", `a user has at most ${TOKENS_MAX} tokens`, { hint: "delete some" });
    }
    const now = nowSeconds(tx.clock);
    const order = {
      id: newId(),
      accountId: call.accountId,
      userId: user.id,
      name,
      scope,
      createdBy: actor.id,
    };
    const row = newTokenRow({ ...order, createdAt: now, expiresAt: now + expires_in * DAY_SECONDS }, secret);
    await insertToken(tx, row);
    const meta = { name, user: user.name, scope };
    tx.record({ activity: "personal.access.token.create", targetId: user.id, meta });
    return { plain_token: secret, personal_access_token: asToken({ ...row, lastUsedAt: null }) };
  });
}

/** The user of the path: the caller, or anyone for callers who may read (or write) other users. */
async function visibleUser(
  call: Call<unknown, unknown>,
  tx: Reader,
  actor: UserRow,
  access: "read" | "write",
): Promise<UserRow> {
  const id = call.param("userId");
  const user =
    id === actor.id || mayCall(actor.role, "read") ? await findUser(tx, call.accountId, id) : undefined;
  if (user === undefined) throw notFound("user");
  if (user.id !== actor.id && !mayCall(actor.role, access)) {
    throw new QfError("ERR_FORBIDDEN", `the role ${actor.role} may not do this`);
  }
  return user;
}

async function tokenOf(call: Call<unknown, unknown>, tx: Reader, user: UserRow): Promise<ApiTokenRow> {
  const token = await findToken(tx, call.accountId, user.id, call.param("tokenId"));
  if (token === undefined) throw notFound("token");
  return token;
}

function asToken(row: Omit<ApiTokenRow, "hash">): PersonalAccessToken {
  return {
    id: row.id,
    name: row.name,
    expiration_date: isoTime(row.expiresAt),
    created_by: row.createdBy,
    created_at: isoTime(row.createdAt),
    last_used: row.lastUsedAt === null ? NEVER : isoTime(row.lastUsedAt),
    scope: row.scope,
  };
}
