/**
 * Compact JWS of the one form we take, and its signature by one of the keys we already have.
 *
 * A token never decides how it is verified: keys come from the caller, the algorithm from a closed list and
 * only with a key of its own type. Every header that could change that (`jwk`, `jku`, `x5c`, `crit`, `b64`,
 * …) is refused, not ignored. Claims are judged by the callers.
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

/** The parts of a token, all of them unverified. */
export interface ParsedJws {
  readonly token: string;
  readonly algorithm: JwsAlgorithm;
  readonly typ: string | undefined;
  readonly kid: string | undefined;
  readonly payload: Readonly<Record<string, unknown>>;
}

type VerifyKey = Awaited<ReturnType<typeof importJWK>>;

/** Keys tried for one token, when it names none or several share its name. Bounds the work. */
const CANDIDATES_MAX = 4;
const IMPORTED_KEYS_MAX = 256;
/** Header members that bring a key, change what is signed, or wrap something else. */
const REFUSED_HEADERS = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "cty", "zip", "enc", "epk"] as const;

/** Signatures found good and remembered: as many people may come again without the work. */
const GOOD_MAX = 256;

/** Imported keys by everything that makes them what they are; the oldest goes first. */
const importedKeys = new Map<string, Promise<VerifyKey>>();

/** Digests of a key, an algorithm and a token whose signature is good; the oldest goes first. */
const goodSignatures = new Set<string>();

/** The token's parts; undefined unless it is a compact JWS with a header that we take. */
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

/** Whether the signature is by one of `keys`. A `kid` that names none of them is a no. */
export async function isSignedByOneOf(jws: ParsedJws, keys: readonly PublicJwk[]): Promise<boolean> {
  const candidates = keys.filter((key) => isCandidate(jws, key));
  if (candidates.length > CANDIDATES_MAX) return false;
  for (const candidate of candidates) {
    if (await isSignedBy(jws, candidate)) return true;
  }
  return false;
}

/** Why `parseCompactJws` said no. Reads an unverified header, and only to say what is in it. */
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

/**
 * Why `isSignedByOneOf` said no: there are no keys, none of that name and kind, or the signature is wrong.
 */
export function faultOfSignature(jws: ParsedJws, keys: readonly PublicJwk[]): TokenFault {
  if (keys.length === 0) return tokenFault("keys", "keys of the issuer", "none");
  const candidates = keys.filter((key) => isCandidate(jws, key));
  if (candidates.length > 0) return tokenFault("signature", `one by ${jws.kid ?? jws.algorithm}`, "another");
  const names = keys.map(({ kid, kty }) => kid ?? kty).join(", ");
  return tokenFault("key", `one of ${shown(names)}`, `${jws.kid ?? "no kid"} (${jws.algorithm})`);
}

/**
 * The same token and key again are not computed again: what a signature is over never changes. Whether the
 * key still counts, and what the claims say now, the caller asks each time.
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
    // jose and WebCrypto tell every failure by throwing, a key they cannot import included.
    return false;
  }
}

/** Fit for this token by name, declared use and shape. */
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
 * Only what the algorithm needs of the key; undefined when its type or curve is not right. Sizes, points
 * and exponents are judged by jose (RSA from 2048 bits) and BoringSSL, and tested here.
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

/** All of a key that a signature depends on. */
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
