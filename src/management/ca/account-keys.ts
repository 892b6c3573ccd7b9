/**
 * The signing keys of one account: making them, and opening them with the master key.
 *
 * `init` stores what `newAccountKeys` returns; `key-ring.ts` opens it again. Private parts leave
 * this folder as key objects or JWKs in memory only.
 *
 * @module
 */
import { generateKeyPairSync, type JsonWebKey } from "node:crypto";
import { type Ed25519Key, ed25519FromSeed, generateEd25519, sshBlobOfEd25519 } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { newId, newSecret } from "../../base/random.ts";
import type { MapCa, PublicJwk } from "../../wire/network-map.ts";
import { seal, unseal } from "./seal.ts";

/** What a key is for; part of what its ciphertext is bound to, so never renamed. */
export type KeyPurpose = "ssh_user_ca" | "token" | "oidc_eddsa" | "oidc_es256" | "oidc_cookie";

/** A key as it is stored. */
export interface KeyRow {
  readonly id: string;
  readonly accountId: string;
  readonly purpose: KeyPurpose;
  /** Ed25519: raw, base64url. ES256: the public JWK. Cookie keys: empty. */
  readonly publicKey: string;
  /** Output of `seal`: a seed, a private JWK or a secret. */
  readonly sealed: string;
  readonly createdAtSeconds: number;
}

/** Every key a new account needs, sealed, in an order of no meaning. */
export function newAccountKeys(masterKey: Uint8Array, accountId: string, createdAtSeconds: number): KeyRow[] {
  const purposes: KeyPurpose[] = ["ssh_user_ca", "token", "oidc_eddsa", "oidc_es256", "oidc_cookie"];
  return purposes.map((purpose) => newKey(masterKey, { accountId, purpose, createdAtSeconds }));
}

/** One key more, for replacing another with overlap. */
export function newKey(
  masterKey: Uint8Array,
  key: Pick<KeyRow, "accountId" | "purpose" | "createdAtSeconds">,
): KeyRow {
  const id = newId();
  const { publicKey, secret } = generate(key.purpose);
  const sealed = seal(masterKey, secret, { purpose: key.purpose, id, accountId: key.accountId });
  return { ...key, id, publicKey, sealed };
}

function generate(purpose: KeyPurpose): { publicKey: string; secret: string } {
  switch (purpose) {
    case "ssh_user_ca":
    case "token":
    case "oidc_eddsa": {
      const key = generateEd25519();
      return { publicKey: key.publicKey, secret: key.seed };
    }
    case "oidc_es256": {
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
      return {
        publicKey: JSON.stringify(pair.publicKey.export({ format: "jwk" })),
        secret: JSON.stringify(pair.privateKey.export({ format: "jwk" })),
      };
    }
    case "oidc_cookie":
      return { publicKey: "", secret: newSecret("") };
  }
}

/** Opens an Ed25519 key and checks that it is the one its row names. */
export function openEd25519(masterKey: Uint8Array, row: KeyRow): Ed25519Key {
  const key = ed25519FromSeed(unseal(masterKey, row.sealed, row).toString("utf8"));
  if (key.publicKey !== row.publicKey) {
    throw new QfError("ERR_STATE_DAMAGED", `a stored key (${row.purpose}) is not the one its row names`);
  }
  return key;
}

/** Opens a secret that is text. */
export function openSecret(masterKey: Uint8Array, row: KeyRow): string {
  return unseal(masterKey, row.sealed, row).toString("utf8");
}

/** The private JWK of a provider key, with `kid`, `alg` and `use`. */
export function openProviderJwk(masterKey: Uint8Array, row: KeyRow): JsonWebKey & { kid: string } {
  if (row.purpose === "oidc_eddsa") {
    const key = openEd25519(masterKey, row);
    return {
      kty: "OKP",
      crv: "Ed25519",
      x: key.publicKey,
      d: key.seed,
      kid: row.id,
      alg: "EdDSA",
      use: "sig",
    };
  }
  const jwk = parseJson(openSecret(masterKey, row)) as JsonWebKey;
  return { ...jwk, kid: row.id, alg: "ES256", use: "sig" };
}

/** What the world may know of a key that signs tokens. */
export function publicJwkOf(row: KeyRow): PublicJwk {
  if (row.purpose === "oidc_es256") {
    const jwk = parseJson(row.publicKey) as { kty: string; crv: string; x: string; y: string };
    return { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, kid: row.id, alg: "ES256", use: "sig" };
  }
  return { kty: "OKP", crv: "Ed25519", x: row.publicKey, kid: row.id, alg: "EdDSA", use: "sig" };
}

/** A CA as maps carry it. */
export function mapCaOf(row: KeyRow): MapCa {
  return { id: row.id, publicKey: sshBlobOfEd25519(row.publicKey).toString("base64") };
}
