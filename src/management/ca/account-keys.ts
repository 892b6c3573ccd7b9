/**
 * Creation of signing keys, and opening them with the master key.
 *
 * `init` stores what `newAccountKeys` and `newServerKeys` return; `key-ring.ts` opens it again. Private keys
 * leave this folder only in memory, as key objects or JWKs.
 *
 * @module
 */
import { generateKeyPairSync, type JsonWebKey } from "node:crypto";
import { type Ed25519Key, ed25519FromSeed, generateEd25519, sshBlobOfEd25519 } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import { parseJson } from "../../base/files.ts";
import { newId, newSecret } from "../../base/random.ts";
import { type MapCa, PublicJwk } from "../../wire/network-map.ts";
import type { NewRow, Row } from "../db/schema/schema.ts";
import { type SealedFor, seal, unseal } from "./seal.ts";

type KeyRow = Row<"signingKeys">;
type Purpose = KeyRow["purpose"];

/** Keys of a new account: an SSH user CA, and one for management's own short-lived tokens. */
export function newAccountKeys(
  masterKey: Uint8Array,
  accountId: string,
  createdAt: number,
): NewRow<"signingKeys">[] {
  return [newCaKey, newTokenKey].map((make) => make(masterKey, accountId, createdAt));
}

/** Keys of the embedded provider: signing keys (EdDSA first), and one for its cookies. */
export function newServerKeys(masterKey: Uint8Array, createdAt: number): NewRow<"signingKeys">[] {
  const eddsa = generateEd25519();
  const eddsaPublic = { kty: "OKP", crv: "Ed25519", x: eddsa.publicKey };
  const es256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keys = [
    { alg: "EdDSA", secret: { ...eddsaPublic, d: eddsa.seed }, shown: eddsaPublic },
    {
      alg: "ES256",
      secret: es256.privateKey.export({ format: "jwk" }),
      shown: es256.publicKey.export({ format: "jwk" }),
    },
  ];
  return [
    ...keys.map(({ alg, secret, shown }) => {
      const id = newId();
      const named = { kid: id, alg, use: "sig" };
      const text = JSON.stringify({ ...secret, ...named });
      return row(masterKey, { id, accountId: null, purpose: "oidc", createdAt }, text, {
        publicKey: JSON.stringify({ ...shown, ...named }),
      });
    }),
    row(masterKey, { id: newId(), accountId: null, purpose: "cookie", createdAt }, newSecret(""), {
      publicKey: "",
    }),
  ];
}

/** Another SSH user CA, to replace one with overlap. */
export function newCaKey(masterKey: Uint8Array, accountId: string, createdAt: number): NewRow<"signingKeys"> {
  return ed25519Row(masterKey, "ca", accountId, createdAt);
}

/** Another token key. */
export function newTokenKey(
  masterKey: Uint8Array,
  accountId: string,
  createdAt: number,
): NewRow<"signingKeys"> {
  return ed25519Row(masterKey, "token", accountId, createdAt);
}

/** A key that signs the checkpoints of the account's log. */
export function newLogKey(
  masterKey: Uint8Array,
  accountId: string,
  createdAt: number,
): NewRow<"signingKeys"> {
  return ed25519Row(masterKey, "log", accountId, createdAt);
}

/** A key with which processes on one database prove themselves to each other. Belongs to no account. */
export function newTunnelKey(masterKey: Uint8Array, createdAt: number): NewRow<"signingKeys"> {
  return ed25519Row(masterKey, "tunnel", null, createdAt);
}

function ed25519Row(
  masterKey: Uint8Array,
  purpose: Purpose,
  accountId: string | null,
  createdAt: number,
): NewRow<"signingKeys"> {
  const key = generateEd25519();
  const owner = { id: newId(), accountId, purpose, createdAt };
  return row(masterKey, owner, key.seed, { publicKey: key.publicKey });
}

function row(
  masterKey: Uint8Array,
  owner: { id: string; accountId: string | null; purpose: Purpose; createdAt: number },
  secret: string,
  shown: { publicKey: string },
): NewRow<"signingKeys"> {
  const encrypted = seal(masterKey, secret, sealedFor(owner));
  return { ...owner, ...shown, encrypted, state: "active", retiredAt: null };
}

function sealedFor(owner: { id: string; accountId: string | null; purpose: Purpose }): SealedFor {
  return { purpose: `signing_keys.${owner.purpose}`, id: owner.id, accountId: owner.accountId ?? "" };
}

/** Opens an Ed25519 key (`ca`, `token`, `log` or `tunnel`) and checks it against its row's public key. */
export function openEd25519(masterKey: Uint8Array, key: KeyRow): Ed25519Key {
  const opened = ed25519FromSeed(openSecret(masterKey, key));
  if (opened.publicKey !== key.publicKey) {
    throw new QfError("ERR_STATE_DAMAGED", `a stored key (${key.purpose}) is not the one its row names`);
  }
  return opened;
}

/** Opens a secret that is text, such as a cookie key. */
export function openSecret(masterKey: Uint8Array, key: KeyRow): string {
  return unseal(masterKey, key.encrypted, sealedFor(key)).toString("utf8");
}

/** The private JWK of an `oidc` key, with `kid`, `alg` and `use`. */
export function openProviderJwk(masterKey: Uint8Array, key: KeyRow): JsonWebKey {
  return parseJson(openSecret(masterKey, key)) as JsonWebKey;
}

/** The public JWK of a key that signs tokens. */
export function publicJwkOf(key: Pick<KeyRow, "id" | "purpose" | "publicKey">): PublicJwk {
  if (key.purpose === "oidc") return PublicJwk.parse(parseJson(key.publicKey));
  return { kty: "OKP", crv: "Ed25519", x: key.publicKey, kid: key.id, alg: "EdDSA", use: "sig" };
}

/** A CA in the form that maps have. */
export function mapCaOf(key: Pick<KeyRow, "id" | "publicKey">): MapCa {
  return { id: key.id, publicKey: sshBlobOfEd25519(key.publicKey).toString("base64") };
}
