/**
 * The embedded provider's storage in the database.
 *
 * @module
 */

import { sha256 } from "../../base/random.ts";
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

/** Records that stand for somebody who has given their password: they end with it. */
const BY_PASSWORD: ReadonlySet<string> = new Set(["Session", "AuthorizationCode"]);
/** Ours, beside the provider's own fields: which password it was. */
const STAMP = "qufabric_password";

export function databasePayloads(store: Store): PayloadStore {
  const find = (model: string, by: { id: string } | { uid: string }) =>
    store.read(async (tx) => {
      const found = withConsumed(await findOidcPayload(tx, model, by));
      if (found === undefined || !BY_PASSWORD.has(model)) return found;
      return found[STAMP] === (await stampOf(tx, found)) ? found : undefined;
    });
  return {
    upsert: ({ model, id, payload, grantId, uid, expiresAtSeconds }) =>
      store.transaction(async (tx) => {
        const stamp = BY_PASSWORD.has(model) ? { [STAMP]: await stampOf(tx, payload) } : {};
        await putOidcPayload(tx, {
          model,
          id,
          payload: { ...payload, ...stamp },
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

/** Tells one password of the record's person from the next. Empty: nobody is signed in by it. */
async function stampOf(tx: Reader, payload: Readonly<Record<string, unknown>>): Promise<string> {
  const { accountId: subject } = payload;
  if (typeof subject !== "string") return "";
  const found = await findPasswordUser(tx, { subject });
  return found === undefined ? "" : sha256(`qufabric/password/${found.login.passwordHash}`);
}

function withConsumed(row: OidcPayloadRow | undefined): Record<string, unknown> | undefined {
  if (row === undefined) return undefined;
  return row.consumedAt === null ? row.payload : { ...row.payload, consumed: row.consumedAt };
}
