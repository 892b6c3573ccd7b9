/** Tokens to start from: keys of every algorithm; header, claims and bytes can be anything. */
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { generateEd25519, sshBlobOfEd25519 } from "../../src/base/ed25519.ts";
import { type IdTokenQuestion, nonceOf } from "../../src/identity/verify.ts";
import type { PublicJwk, TrustedIssuer } from "../../src/wire/network-map.ts";
import type { Ed25519PublicKey } from "../../src/wire/units.ts";

export const NOW = 1_790_000_000;
export const ISSUER = "https://idp.example.com";
export const AUDIENCE = "qufabric-client";
export const loginKeyBlob: Buffer = sshBlobOfEd25519(generateEd25519().publicKey);

export type Algorithm = "EdDSA" | "ES256" | "RS256" | "PS256";

/** A key pair of a provider. */
export interface ProviderKey {
  readonly alg: Algorithm;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: PublicJwk;
}

export function aProviderKey(alg: Algorithm, kid: string, rsaBits = 2048): ProviderKey {
  const pair =
    alg === "EdDSA"
      ? generateKeyPairSync("ed25519")
      : alg === "ES256"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : generateKeyPairSync("rsa", { modulusLength: rsaBits });
  const exported = pair.publicKey.export({ format: "jwk" });
  const jwk = { ...exported, kty: exported.kty ?? "", kid, alg, use: "sig" };
  return { alg, kid, ...pair, jwk };
}

export const providerKeys: Readonly<Record<Algorithm, ProviderKey>> = {
  EdDSA: aProviderKey("EdDSA", "ed"),
  ES256: aProviderKey("ES256", "ec"),
  RS256: aProviderKey("RS256", "rsa"),
  PS256: aProviderKey("PS256", "pss"),
};

export function aTrustedIssuer(changes: Partial<TrustedIssuer> = {}): TrustedIssuer {
  return {
    issuer: ISSUER,
    audiences: [AUDIENCE],
    userIdClaim: "sub",
    keys: Object.values(providerKeys).map((key) => key.jwk),
    ...changes,
  };
}

export type Claims = Record<string, unknown>;

export function someClaims(changes: Claims = {}): Claims {
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "anna-1",
    iat: NOW - 10,
    exp: NOW + 3590,
    auth_time: NOW - 20,
    nonce: nonceOf(loginKeyBlob),
    email: "anna@example.com",
    name: "Anna",
    ...changes,
  };
}

export const encode = (part: string | Uint8Array): string => Buffer.from(part).toString("base64url");

/** The signature of `input` as JWS wants it from `key`. */
export function signBytes(key: ProviderKey, input: string): Buffer {
  const data = Buffer.from(input);
  switch (key.alg) {
    case "EdDSA":
      return sign(null, data, key.privateKey);
    case "ES256":
      return sign("sha256", data, { key: key.privateKey, dsaEncoding: "ieee-p1363" });
    case "RS256":
      return sign("sha256", data, key.privateKey);
    case "PS256":
      return sign("sha256", data, {
        key: key.privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: 32,
      });
  }
}

/** A token over exactly these texts, well signed. */
export function signTexts(key: ProviderKey, header: string, payload: string | Uint8Array): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${encode(signBytes(key, input))}`;
}

/** A token by `key`; header members and claims of undefined are left out. */
export function aToken(changes: { key?: ProviderKey; header?: Claims; claims?: Claims } = {}): string {
  const { key = providerKeys.EdDSA } = changes;
  const header = { alg: key.alg, kid: key.kid, typ: "JWT", ...changes.header };
  return signTexts(key, JSON.stringify(header), JSON.stringify(someClaims(changes.claims)));
}

export function anIdTokenQuestion(token: string, changes: Partial<IdTokenQuestion> = {}): IdTokenQuestion {
  return {
    token,
    issuers: [aTrustedIssuer()],
    nowSeconds: NOW,
    loginSecondsMax: 43_200,
    loginKeyBlob,
    ...changes,
  };
}

/** The public part of management's token-signing key, as in the map. */
export function managementTokenJwk(kid: string, publicKey: Ed25519PublicKey): PublicJwk {
  return { kty: "OKP", crv: "Ed25519", x: publicKey, kid, alg: "EdDSA", use: "sig" };
}
