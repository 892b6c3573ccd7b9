/**
 * Signing keys: making them, and opening them with the master key.
 *
 * `init` stores what `newAccountKeys` and `newServerKeys` return; `key-ring.ts` opens it again.
 * Private parts leave this folder as key objects or JWKs in memory only.
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

/** What a new account needs: an SSH user CA and a key for management's own short tokens. */
export function newAccountKeys(
  masterKey: Uint8Array,
  accountId: string,
  createdAt: number,
): NewRow<"signingKeys">[] {
  return [newCaKey, newTokenKey].map((make) => make(masterKey, accountId, createdAt));
}

/** What the embedded provider needs: signing keys (EdDSA first) and a key for its cookies. */
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

/** One SSH user CA more, for replacing another with overlap. */
export function newCaKey(masterKey: Uint8Array, accountId: string, createdAt: number): NewRow<"signingKeys"> {
  return ed25519Row(masterKey, "ca", accountId, createdAt);
}

/** One token key more. */
export function newTokenKey(
  masterKey: Uint8Array,
  accountId: string,
  createdAt: number,
): NewRow<"signingKeys"> {
  return ed25519Row(masterKey, "token", accountId, createdAt);
}

/** What signs the checkpoints of the account's log. */
export function newLogKey(
  masterKey: Uint8Array,
  accountId: string,
  createdAt: number,
): NewRow<"signingKeys"> {
  return ed25519Row(masterKey, "log", accountId, createdAt);
}

/** What the processes on one database prove themselves to each other with. Of no account. */
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

/** Opens a `ca`, `token` or `tunnel` key and checks that it is the one its row names. */
export function openEd25519(masterKey: Uint8Array, key: KeyRow): Ed25519Key {
  const opened = ed25519FromSeed(openSecret(masterKey, key));
  if (opened.publicKey !== key.publicKey) {
    throw new QfError("ERR_STATE_DAMAGED", `a stored key (${key.purpose}) is not the one its row names`);
  }
  return opened;
}

/** Opens a secret that is text: a cookie key. */
export function openSecret(masterKey: Uint8Array, key: KeyRow): string {
  return unseal(masterKey, key.encrypted, sealedFor(key)).toString("utf8");
}

/** The private JWK of an `oidc` key, with `kid`, `alg` and `use`. */
export function openProviderJwk(masterKey: Uint8Array, key: KeyRow): JsonWebKey {
  return parseJson(openSecret(masterKey, key)) as JsonWebKey;
}

/** What the world may know of a key that signs tokens. */
export function publicJwkOf(key: Pick<KeyRow, "id" | "purpose" | "publicKey">): PublicJwk {
  if (key.purpose === "oidc") return PublicJwk.parse(parseJson(key.publicKey));
  return { kty: "OKP", crv: "Ed25519", x: key.publicKey, kid: key.id, alg: "EdDSA", use: "sig" };
}

/** A CA as maps carry it. */
export function mapCaOf(key: Pick<KeyRow, "id" | "publicKey">): MapCa {
  return { id: key.id, publicKey: sshBlobOfEd25519(key.publicKey).toString("base64") };
}
