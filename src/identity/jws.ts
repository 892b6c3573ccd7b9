/**
 * Parses compact JWS in the one form we accept, and verifies the signature with keys we already have.
 *
 * A token never decides how it is verified. Keys come from the caller; the algorithm comes from a closed list
 * and must match the key's type. Every header that could change that (`jwk`, `jku`, `x5c`, `crit`, `b64`, …)
 * is refused, not ignored. Callers check the claims.
 *
 * @module
 */
import { compactVerify, importJWK } from "jose";
import { sha256 } from "../base/random.ts";
import { parseStrictJsonObject } from "../base/strict-json.ts";
import { ID_TOKEN_BYTES_MAX, JWS_ALGORITHMS } from "../wire/certificate.ts";
import { CompactJws } from "../wire/client-api.ts";
import type { PublicJwk } from "../wire/network-map.ts";
import { shown, type TokenFault, tokenFault } from "./token-fault.ts";

export type JwsAlgorithm = (typeof JWS_ALGORITHMS)[number];

/** The parts of a token, all unverified. */
export interface ParsedJws {
  readonly token: string;
  readonly algorithm: JwsAlgorithm;
  readonly typ: string | undefined;
  readonly kid: string | undefined;
  readonly payload: Readonly<Record<string, unknown>>;
}

type VerifyKey = Awaited<ReturnType<typeof importJWK>>;

/** Most keys tried for one token that names none or whose name several share. Bounds the work. */
const CANDIDATES_MAX = 4;
const IMPORTED_KEYS_MAX = 256;
/** Header members that supply a key, change what is signed, or nest something else. */
const REFUSED_HEADERS = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "cty", "zip", "enc", "epk"] as const;

/** Most valid signatures remembered, so that returning people cost no verification. */
const GOOD_MAX = 256;

/** Imported keys by everything that affects verification; the oldest is dropped first. */
const importedKeys = new Map<string, Promise<VerifyKey>>();

/** Digests over key, algorithm and token of valid signatures; the oldest is dropped first. */
const goodSignatures = new Set<string>();

/** The token's parts; undefined unless it is a compact JWS with an acceptable header. */
export function parseCompactJws(token: string): ParsedJws | undefined {
  if (!CompactJws.safeParse(token).success) return undefined;
  const [headerPart, payloadPart, signaturePart] = token.split(".");
  const header = decodeObject(headerPart);
  const payload = decodeObject(payloadPart);
  if (header === undefined || payload === undefined || !isCanonical(signaturePart)) return undefined;
  if (REFUSED_HEADERS.some((name) => Object.hasOwn(header, name))) return undefined;
  const { alg, typ, kid } = header;
  const algorithm = JWS_ALGORITHMS.find((known) => known === alg);
  if (algorithm === undefined) return undefined;
  if (typ !== undefined && typeof typ !== "string") return undefined;
  if (kid !== undefined && typeof kid !== "string") return undefined;
  return { token, algorithm, typ, kid, payload };
}

/** Whether the signature is by one of `keys`. False if its `kid` names none of them. */
export async function isSignedByOneOf(jws: ParsedJws, keys: readonly PublicJwk[]): Promise<boolean> {
  const candidates = keys.filter((key) => isCandidate(jws, key));
  if (candidates.length > CANDIDATES_MAX) return false;
  for (const candidate of candidates) {
    if (await isSignedBy(jws, candidate)) return true;
  }
  return false;
}

/** Why `parseCompactJws` failed. Reads the unverified header only to report it. */
export function faultOfJws(token: string): TokenFault {
  if (!CompactJws.safeParse(token).success) {
    const size = `${token.length} characters`;
    return tokenFault("form", `a compact JWS of at most ${ID_TOKEN_BYTES_MAX} characters`, size);
  }
  const header = decodeObject(token.split(".")[0]);
  if (header === undefined) return tokenFault("form", "a header that is strict JSON", "something else");
  const bent = REFUSED_HEADERS.find((name) => Object.hasOwn(header, name));
  if (bent !== undefined) return tokenFault("form", "a header without keys or extensions", bent);
  if (!JWS_ALGORITHMS.some((known) => known === header.alg)) {
    return tokenFault("algorithm", JWS_ALGORITHMS.join(", "), header.alg);
  }
  return tokenFault("form", "base64url without slack, and strict JSON", "something else");
}

/** Why `isSignedByOneOf` failed: no keys, none with that name and type, or a wrong signature. */
export function faultOfSignature(jws: ParsedJws, keys: readonly PublicJwk[]): TokenFault {
  if (keys.length === 0) return tokenFault("keys", "keys of the issuer", "none");
  const candidates = keys.filter((key) => isCandidate(jws, key));
  if (candidates.length > 0) return tokenFault("signature", `one by ${jws.kid ?? jws.algorithm}`, "another");
  const names = keys.map(({ kid, kty }) => kid ?? kty).join(", ");
  return tokenFault("key", `one of ${shown(names)}`, `${jws.kid ?? "no kid"} (${jws.algorithm})`);
}

/**
 * Results are cached per token and key, since a signature's validity never changes. The caller checks each
 * time whether the key is still in force and what the claims say now.
 */
async function isSignedBy(jws: ParsedJws, jwk: PublicJwk): Promise<boolean> {
  const { algorithm, token } = jws;
  const digest = sha256(JSON.stringify([keyName(algorithm, jwk), token]));
  if (goodSignatures.has(digest)) return true;
  try {
    const key = await importKey(algorithm, jwk);
    await compactVerify(token, key, { algorithms: [algorithm] });
    if (goodSignatures.size >= GOOD_MAX) dropOldest(goodSignatures);
    goodSignatures.add(digest);
    return true;
  } catch {
    // jose and WebCrypto throw on every failure, including a key they cannot import.
    return false;
  }
}

/** Whether the key fits this token by name, declared use and type. */
function isCandidate({ algorithm, kid }: ParsedJws, jwk: PublicJwk): boolean {
  if (kid !== undefined && jwk.kid !== kid) return false;
  if (jwk.alg !== undefined && jwk.alg !== algorithm && !(algorithm === "EdDSA" && jwk.alg === "Ed25519")) {
    return false;
  }
  const { use, key_ops: operations } = jwk;
  if (use !== undefined && use !== "sig") return false;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return false;
  return publicMembers(algorithm, jwk) !== undefined;
}

/**
 * Only the key members the algorithm needs. Undefined when type or curve does not match. jose (RSA from 2048
 * bits) and BoringSSL check sizes, points and exponents; our tests confirm it.
 */
function publicMembers(algorithm: JwsAlgorithm, jwk: PublicJwk): Record<string, string> | undefined {
  const { kty, crv, x, y, n, e } = jwk;
  switch (algorithm) {
    case "EdDSA":
      return kty === "OKP" && crv === "Ed25519" && isText(x) ? { kty, crv, x } : undefined;
    case "ES256":
      return kty === "EC" && crv === "P-256" && isText(x) && isText(y) ? { kty, crv, x, y } : undefined;
    case "RS256":
    case "PS256":
      return kty === "RSA" && isText(n) && isText(e) ? { kty, n, e } : undefined;
  }
}

function importKey(algorithm: JwsAlgorithm, jwk: PublicJwk): Promise<VerifyKey> {
  const name = keyName(algorithm, jwk);
  const imported = importedKeys.get(name);
  if (imported !== undefined) return imported;
  const key = importJWK(publicMembers(algorithm, jwk) ?? {}, algorithm);
  if (importedKeys.size >= IMPORTED_KEYS_MAX) dropOldest(importedKeys);
  importedKeys.set(name, key);
  return key;
}

/** Everything in a key that verification depends on. */
function keyName(algorithm: JwsAlgorithm, jwk: PublicJwk): string {
  return JSON.stringify([algorithm, publicMembers(algorithm, jwk) ?? {}]);
}

function dropOldest(kept: Pick<Map<string, unknown> | Set<string>, "keys" | "delete">): void {
  for (const oldest of kept.keys()) {
    kept.delete(oldest);
    return;
  }
}

function decodeObject(part: string | undefined): Record<string, unknown> | undefined {
  return part !== undefined && isCanonical(part)
    ? parseStrictJsonObject(Buffer.from(part, "base64url"))
    : undefined;
}

/** Whether no other text decodes to the same bytes: no stray bits in the last character. */
function isCanonical(part: string | undefined): boolean {
  return part !== undefined && Buffer.from(part, "base64url").toString("base64url") === part;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
