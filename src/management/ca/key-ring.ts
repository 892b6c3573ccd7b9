/**
 * An account's opened keys: CAs and token keys that sign, and issuers with their keys that verify.
 *
 * Rows are read once and cached, since keys change only by rotation, which calls `forget`. Issuers are read
 * each time, since an external provider's keys come and go (`issuer-keys.ts`).
 *
 * @module
 */
import type { JsonWebKey } from "node:crypto";
import { nowSeconds } from "../../base/clock.ts";
import type { Ed25519Key } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import type { MapCa, PublicJwk, TrustedIssuer } from "../../wire/network-map.ts";
import type { AccountId } from "../../wire/units.ts";
import type { KeyRing, OidcSettings } from "../contracts/context.ts";
import type { Reader } from "../db/engine/transaction.ts";
import type { Store } from "../db/store.ts";
import { listAccounts } from "../db/tables/accounts.ts";
import { insertSigningKeys, listSigningKeys, type SigningKeyRow } from "../db/tables/keys.ts";
import {
  mapCaOf,
  newTunnelKey,
  openEd25519,
  openProviderJwk,
  openSecret,
  publicJwkOf,
} from "./account-keys.ts";
import type { IssuerKeys } from "./issuer-keys.ts";

type TrustedSettings = Pick<OidcSettings, "issuer" | "clientId" | "webClientId" | "audience" | "userIdClaim">;

export interface KeyRingDeps {
  readonly store: Store;
  readonly masterKey: Uint8Array;
  readonly oidc: TrustedSettings & Pick<OidcSettings, "embedded">;
  /** Null with the embedded provider. */
  readonly issuerKeys: IssuerKeys | null;
}

export interface OpenKeyRing extends KeyRing {
  /** Drops the cache, so that keys are read again. */
  forget(): void;
}

/** States in which a key verifies; the last `active` one signs. */
const IN_FORCE: readonly SigningKeyRow["state"][] = ["next", "active", "retiring"];

export function createKeyRing(deps: KeyRingDeps): OpenKeyRing {
  const cache = new Map<string, Promise<SigningKeyRow[]>>();

  function rowsOf(accountId: AccountId | null, purpose: SigningKeyRow["purpose"]): Promise<SigningKeyRow[]> {
    const key = `${accountId ?? ""} ${purpose}`;
    const cached = cache.get(key);
    if (cached !== undefined) return cached;
    const rows = deps.store
      .read((tx) => listSigningKeys(tx, accountId, purpose))
      .then((all) => {
        // An account without keys is still being created, so this is not cached.
        if (all.length === 0) cache.delete(key);
        return all.filter((row) => IN_FORCE.includes(row.state));
      });
    rows.catch(() => cache.delete(key));
    cache.set(key, rows);
    return rows;
  }

  async function signing(accountId: AccountId, purpose: "ca" | "token"): Promise<SigningKeyRow> {
    const row = (await rowsOf(accountId, purpose)).findLast(({ state }) => state === "active");
    if (row === undefined) throw new QfError("ERR_NOT_INITIALISED", `this account has no ${purpose} key`);
    return row;
  }

  return {
    cas: async (accountId): Promise<readonly MapCa[]> => (await rowsOf(accountId, "ca")).map(mapCaOf),
    signingCa: async (accountId) => openEd25519(deps.masterKey, await signing(accountId, "ca")),
    tokenKeys: async (accountId): Promise<readonly PublicJwk[]> =>
      (await rowsOf(accountId, "token")).map(publicJwkOf),
    signingTokenKey: async (accountId) => {
      const row = await signing(accountId, "token");
      return { kid: row.id, key: openEd25519(deps.masterKey, row) };
    },
    issuers: async (accountId): Promise<readonly TrustedIssuer[]> => {
      const keys =
        deps.issuerKeys === null
          ? (await rowsOf(null, "oidc")).map(publicJwkOf)
          : await deps.issuerKeys.keysOf(accountId);
      return [{ ...trustOf(deps.oidc), keys: [...keys] }];
    },
    forget: () => cache.clear(),
  };
}

/** Which tokens of a provider are trusted, without its keys. */
export function trustOf(oidc: TrustedSettings): Omit<TrustedIssuer, "keys"> {
  const { issuer, clientId, webClientId, audience, userIdClaim } = oidc;
  const clients = [...new Set([clientId, webClientId])];
  if (audience === null) return { issuer, audiences: clients, userIdClaim };
  return { issuer, audiences: [audience], clients, userIdClaim };
}

/**
 * The key with which processes on one database prove themselves to each other, created if missing. Undefined
 * while there is no account: until then it is not settled whose master key is the right one.
 */
export async function openTunnelKey(store: Store, masterKey: Uint8Array): Promise<Ed25519Key | undefined> {
  const find = async (tx: Reader) =>
    (await listSigningKeys(tx, null, "tunnel")).findLast(({ state }) => state === "active");
  const row =
    (await store.read(find)) ??
    (await store.transaction(async (tx) => {
      const made = await find(tx);
      if (made !== undefined || (await listAccounts(tx)).length === 0) return made;
      await insertSigningKeys(tx, [newTunnelKey(masterKey, nowSeconds(tx.clock))]);
      return find(tx);
    }));
  return row === undefined ? undefined : openEd25519(masterKey, row);
}

/** Keys that the embedded provider signs with, the newest active one of each kind first. */
export async function openProviderKeys(
  store: Store,
  masterKey: Uint8Array,
): Promise<{ signingKeys: JsonWebKey[]; cookieKeys: string[] }> {
  const [oidc, cookie] = await store.read(async (tx) => [
    await listSigningKeys(tx, null, "oidc"),
    await listSigningKeys(tx, null, "cookie"),
  ]);
  const live = (rows: readonly SigningKeyRow[] = []): SigningKeyRow[] =>
    rows.filter(({ state }) => state === "active").reverse();
  return {
    signingKeys: live(oidc).map((row) => openProviderJwk(masterKey, row)),
    cookieKeys: live(cookie).map((row) => openSecret(masterKey, row)),
  };
}
