/**
 * The embedded provider's storage in the database.
 *
 * @module
 */

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
        };
  return {
    findByEmail: async (email) => accountOf(await store.read((tx) => findPasswordUser(tx, { email }))),
    find: async (subject) => accountOf(await store.read((tx) => findPasswordUser(tx, { subject }))),
  };
}

export function databasePayloads(store: Store): PayloadStore {
  return {
    upsert: ({ model, id, payload, grantId, uid, expiresAtSeconds }) =>
      store.transaction((tx) =>
        putOidcPayload(tx, {
          model,
          id,
          payload: { ...payload },
          grantId,
          uid,
          userCode: null,
          consumedAt: null,
          expiresAt: expiresAtSeconds,
        }),
      ),
    find: async (model, id) => withConsumed(await store.read((tx) => findOidcPayload(tx, model, { id }))),
    findByUid: async (model, uid) =>
      withConsumed(await store.read((tx) => findOidcPayload(tx, model, { uid }))),
    consume: (model, id) => store.transaction((tx) => consumeOidcPayload(tx, model, id)),
    destroy: (model, id) => store.transaction((tx) => deleteOidcPayload(tx, model, id)),
    revokeByGrantId: (grantId) => store.transaction((tx) => deleteOidcGrant(tx, grantId)),
  };
}

function withConsumed(row: OidcPayloadRow | undefined): Record<string, unknown> | undefined {
  if (row === undefined) return undefined;
  return row.consumedAt === null ? row.payload : { ...row.payload, consumed: row.consumedAt };
}
