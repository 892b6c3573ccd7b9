/**
 * Short-lived API tokens for people who signed in with `qf login`. They end with the login.
 *
 * The REST API accepts only its own tokens, and this is how a person gets one without creating a named token.
 * The role decides what it may do, and every request checks the login again (`http/admin/access.ts`).
 *
 * @module
 */

import { nowSeconds } from "../../base/clock.ts";
import { newId, newSecret } from "../../base/random.ts";
import { API_TOKEN_SECONDS, type ApiTokenRequest, type ApiTokenResponse } from "../../wire/api-token.ts";
import { API_TOKEN_PREFIX } from "../../wire/secret-kind.ts";
import { deleteLoginTokensOver, insertToken, newTokenRow } from "../db/tables/api-tokens.ts";
import { denial } from "./denial.ts";
import { currentAccount, type LoginDeps } from "./deps.ts";
import { proveAsker } from "./prove-asker.ts";

/**
 * Answers POST /client/v1/tokens. Throws as `proveAsker` does, and ERR_ACCESS_DENIED for an inactive device.
 */
export async function issueApiToken(
  deps: LoginDeps,
  request: ApiTokenRequest,
  sourceAddress: string,
): Promise<ApiTokenResponse> {
  const account = await currentAccount(deps.ctx);
  const asker = await proveAsker(deps, account, request, {
    purpose: "api-token",
    fields: {},
    what: "API token",
    sourceAddress,
  });
  const { device, login, user } = asker;
  if (device.status !== "active") {
    throw denial(device.status === "blocked" ? "device_blocked" : "device_pending");
  }
  const now = nowSeconds(deps.ctx.clock);
  const expiresAt = Math.min(now + API_TOKEN_SECONDS, login.until);
  const token = newSecret(API_TOKEN_PREFIX);
  const order = {
    id: newId(),
    accountId: account.id,
    userId: user.id,
    name: "qf login",
    scope: "api" as const,
    createdBy: user.id,
    createdAt: now,
    expiresAt,
    loginId: login.id,
  };
  await deps.ctx.store.transaction(async (tx) => {
    await deleteLoginTokensOver(tx, account.id);
    await insertToken(tx, newTokenRow(order, token));
  });
  return { token, expiresAtSeconds: expiresAt };
}
