/**
 * The embedded provider's storage in the database.
 *
 * @module
 */

import type { Reader } from "../db/engine/transaction.ts";
import type { Store } from "../db/store.ts";
import {
  consumeOidcPayload,
  deleteOidcGrant,
  deleteOidcPayload,
  findOidcPayload,
  findPasswordUser,
  type OidcPayloadRow,
  type PasswordUser,
  putOidcPayload,
} from "../db/tables/sign-in.ts";
import { passwordStamp } from "./passwords.ts";
import type { PasswordAccount, PasswordAccounts, PayloadStore } from "./store.ts";

export function databaseAccounts(store: Store): PasswordAccounts {
  const accountOf = (found: PasswordUser | undefined): PasswordAccount | undefined =>
    found === undefined
      ? undefined
      : {
          subject: found.login.id,
          email: found.login.email,
          name: found.user.name,
          passwordHash: found.login.passwordHash,
          mustChange: found.login.mustChange,
        };
  return {
    findByEmail: async (email) => accountOf(await store.read((tx) => findPasswordUser(tx, { email }))),
    find: async (subject) => accountOf(await store.read((tx) => findPasswordUser(tx, { subject }))),
  };
}

/** Records that a password created; they end when it changes. */
const BY_PASSWORD: ReadonlySet<string> = new Set(["Session", "AuthorizationCode"]);

export function databasePayloads(store: Store): PayloadStore {
  const find = (model: string, by: { id: string } | { uid: string }) =>
    store.read(async (tx) => {
      const found = withConsumed(await findOidcPayload(tx, model, by));
      if (found === undefined || !BY_PASSWORD.has(model)) return found;
      return (await isOfThePassword(tx, found)) ? found : undefined;
    });
  return {
    upsert: ({ model, id, payload, grantId, uid, expiresAtSeconds }) =>
      store.transaction(async (tx) => {
        await putOidcPayload(tx, {
          model,
          id,
          payload: { ...payload },
          grantId,
          uid,
          userCode: null,
          consumedAt: null,
          expiresAt: expiresAtSeconds,
        });
      }),
    find: (model, id) => find(model, { id }),
    findByUid: (model, uid) => find(model, { uid }),
    consume: (model, id) => store.transaction((tx) => consumeOidcPayload(tx, model, id)),
    destroy: (model, id) => store.transaction((tx) => deleteOidcPayload(tx, model, id)),
    revokeByGrantId: (grantId) => store.transaction((tx) => deleteOidcGrant(tx, grantId)),
  };
}

/**
 * Whether the record's person still has the password that they gave for it. `interactions.ts` noted that
 * password in `acr`, which the provider carries from the session into codes and tokens.
 */
async function isOfThePassword(tx: Reader, payload: Readonly<Record<string, unknown>>): Promise<boolean> {
  const { accountId: subject, acr } = payload;
  if (typeof subject !== "string") return true;
  const found = await findPasswordUser(tx, { subject });
  return found !== undefined && acr === passwordStamp(found.login.passwordHash);
}

function withConsumed(row: OidcPayloadRow | undefined): Record<string, unknown> | undefined {
  if (row === undefined) return undefined;
  return row.consumedAt === null ? row.payload : { ...row.payload, consumed: row.consumedAt };
}
