/**
 * Ends a login early: management issues nothing for it any more, and machines are told.
 *
 * @module
 */

import type { LogoutRequest } from "../../wire/client-api.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import { findLoginByKey, revokeLogin } from "../db/tables/logins.ts";
import { findUser } from "../db/tables/users.ts";
import { currentAccount, type LoginDeps } from "./deps.ts";
import { initiatorOf } from "./person.ts";
import { checkSigned } from "./signatures.ts";

/** Answers POST /client/v1/logout. Succeeds for an unknown or ended login too. */
export async function logout(deps: LoginDeps, request: LogoutRequest): Promise<void> {
  const account = await currentAccount(deps.ctx);
  await checkSigned(deps, {
    purpose: "logout",
    accountId: account.id,
    fields: {
      challenge: request.challenge,
      loginKey: request.loginKey,
      timeSeconds: request.timeSeconds,
    },
    signatures: [{ key: request.loginKey, signature: request.loginSignature }],
  });
  await deps.ctx.store.change({ accountId: account.id, initiator: systemInitiator }, async (tx) => {
    const login = await findLoginByKey(tx, request.loginKey);
    if (login === undefined || login.accountId !== account.id) return;
    if (!(await revokeLogin(tx, login.id))) return;
    tx.affectMaps();
    const user = await findUser(tx, account.id, login.userId);
    tx.record({
      activity: "login.revoked",
      targetId: login.userId,
      meta: { login: login.id, by: "logout" },
      ...(user === undefined ? {} : { initiator: initiatorOf(user) }),
    });
  });
}
