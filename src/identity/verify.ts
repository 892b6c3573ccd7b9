/**
 * Verifies an ID token: which person it identifies, and whether it names the login key.
 *
 * The same checks serve the machine (offline, with keys from the network map) and management when it claims a
 * login. Nothing is fetched: issuers, keys and the time are arguments. `jws.ts` checks the signature; this
 * file checks the claims (OpenID Connect Core 3.1.3.7).
 *
 * @module
 */
import { sha256 } from "../base/random.ts";
import { CLOCK_SKEW_SECONDS } from "../wire/certificate.ts";
import type { TrustedIssuer } from "../wire/network-map.ts";
import type { ReasonCode } from "../wire/reason.ts";
import { type DurationSeconds, EpochSeconds } from "../wire/units.ts";
import { faultOfJws, faultOfSignature, isSignedByOneOf, type ParsedJws, parseCompactJws } from "./jws.ts";
import { type TokenFault, tokenFault } from "./token-fault.ts";

export interface IdTokenQuestion {
  /** As received, unverified. */
  readonly token: string;
  readonly issuers: readonly TrustedIssuer[];
  readonly nowSeconds: EpochSeconds;
  /** Longest time since the token's `iat`. */
  readonly loginSecondsMax: DurationSeconds;
  /** SSH blob of the login key, whose digest must be the token's `nonce`. */
  readonly loginKeyBlob: Uint8Array;
  /**
   * `machine` (default): requires `nonce`; `exp` was checked at claiming. `claiming`: checks `exp`, and
   * `binding` tells whether the token names this login key or has no `nonce`.
   */
  readonly mode?: "machine" | "claiming";
  /** In `machine` mode: check `exp` too. Default false. */
  readonly requireUnexpired?: boolean;
}

export interface IdTokenClaims {
  /** `auth_time`. Null: the provider does not say. */
  readonly authTimeSeconds: EpochSeconds | null;
  readonly issuedAtSeconds: EpochSeconds;
  readonly expSeconds: EpochSeconds;
  /** For display only. Absent: not given, or not a string of reasonable length. */
  readonly email?: string;
  readonly name?: string;
}

export type IdTokenVerdict =
  | {
      readonly ok: true;
      readonly issuer: string;
      /** Value of the issuer's user id claim. */
      readonly subject: string;
      /** `idp`: the token names the login key. `ca`: it names none (`claiming` only); management binds it. */
      readonly binding: "idp" | "ca";
      readonly claims: IdTokenClaims;
      /** Every claim, verified, for groups and claim conditions. */
      readonly payload: Readonly<Record<string, unknown>>;
    }
  | { readonly ok: false; readonly reason: ReasonCode; readonly fault: TokenFault };

const SUBJECT_LENGTH_MAX = 512;
const SHOWN_LENGTH_MAX = 254;
const AUDIENCES_MAX = 16;

/** The `nonce` that names a login key: base64url SHA-256 of its SSH blob. */
export function nonceOf(loginKeyBlob: Uint8Array): string {
  return sha256(loginKeyBlob);
}

/**
 * Verifies an ID token. Returns a reason other than `token_invalid` only after verifying the signature.
 *
 * Reasons: `token_invalid`; `token_too_old` (older than the cap, or expired if `exp` is checked);
 * `clock_skew` (from more than 60 s in the future).
 */
export async function verifyIdToken(question: IdTokenQuestion): Promise<IdTokenVerdict> {
  const jws = parseCompactJws(question.token);
  if (jws === undefined) return invalid(faultOfJws(question.token));
  if (!isIdTokenType(jws)) return invalid(tokenFault("type", "typ JWT", jws.typ));
  const issuer = issuerOf(jws.payload, question.issuers);
  if ("check" in issuer) return invalid(issuer);
  if (!(await isSignedByOneOf(jws, issuer.keys))) return invalid(faultOfSignature(jws, issuer.keys));

  const { payload } = jws;
  const subject = readSubject(payload, issuer.userIdClaim);
  if (typeof subject !== "string") return invalid(subject);
  const binding = readBinding(payload, question);
  if (typeof binding !== "string") return invalid(binding);
  // A logout token (OpenID Connect Back-Channel Logout 2.4) has no nonce and looks like an ID token.
  if (payload.events !== undefined) return invalid(tokenFault("kind", "no events", payload.events));
  const times = readTimes(payload);
  if ("check" in times) return invalid(times);
  const late = judgeTimes(times, question);
  if (late !== undefined) return late;

  const claims: IdTokenClaims = {
    authTimeSeconds: times.authTimeSeconds,
    issuedAtSeconds: times.issuedAtSeconds,
    expSeconds: times.expSeconds,
    ...shown("email", payload.email),
    ...shown("name", payload.name),
  };
  return { ok: true, issuer: issuer.issuer, subject, binding, claims, payload };
}

/** Absent or JWT, so that no token of another kind (`at+jwt`, our own) passes for this one. */
function isIdTokenType({ typ }: ParsedJws): boolean {
  return typ === undefined || typ.toUpperCase() === "JWT";
}

/**
 * The issuer that the token names exactly and whose audiences include the token's. `azp`, if present, is the
 * client that requested it, which may differ from the audience (a project or an API).
 */
function issuerOf(
  payload: Readonly<Record<string, unknown>>,
  issuers: readonly TrustedIssuer[],
): TrustedIssuer | TokenFault {
  const { iss, aud, azp } = payload;
  const named = issuers.filter(({ issuer }) => issuer === iss);
  if (named.length === 0) return tokenFault("issuer", issuers.map(({ issuer }) => issuer).join(", "), iss);
  const audiences = Array.isArray(aud) ? aud : [aud];
  const isReadable =
    audiences.length <= AUDIENCES_MAX && audiences.every((audience) => typeof audience === "string");
  const meant = isReadable
    ? named.filter((issuer) => audiences.some((audience) => issuer.audiences.includes(audience)))
    : [];
  if (meant.length === 0) {
    return tokenFault("audience", named.flatMap((issuer) => issuer.audiences).join(", "), aud);
  }
  const clients = meant.flatMap(clientsOf);
  if (audiences.length > 1 && azp === undefined) return tokenFault("azp", clients.join(", "), azp);
  const given = meant.find(
    (issuer) => azp === undefined || (typeof azp === "string" && clientsOf(issuer).includes(azp)),
  );
  return given ?? tokenFault("azp", clients.join(", "), azp);
}

function clientsOf({ clients, audiences }: TrustedIssuer): readonly string[] {
  return clients ?? audiences;
}

/**
 * `sub` is required, whatever claim names the person. An e-mail address names a person only if the provider
 * has verified it, since at many providers anyone can enter any address.
 */
function readSubject(payload: Readonly<Record<string, unknown>>, userIdClaim: string): string | TokenFault {
  const named = Object.hasOwn(payload, userIdClaim) ? payload[userIdClaim] : undefined;
  if (!isSubject(payload.sub)) return tokenFault("subject", "sub", payload.sub);
  if (!isSubject(named)) return tokenFault("subject", userIdClaim, named);
  const isVerified = payload.email_verified === true || payload.email_verified === "true";
  if (userIdClaim !== "email" || isVerified) return named;
  return tokenFault("email_verified", "email_verified true", payload.email_verified);
}

function isSubject(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= SUBJECT_LENGTH_MAX;
}

function readBinding(
  { nonce }: Readonly<Record<string, unknown>>,
  { mode, loginKeyBlob }: IdTokenQuestion,
): "idp" | "ca" | TokenFault {
  if (nonce === undefined && mode === "claiming") return "ca";
  const expected = nonceOf(loginKeyBlob);
  return nonce === expected ? "idp" : tokenFault("nonce", expected, nonce);
}

interface Times {
  readonly issuedAtSeconds: EpochSeconds;
  readonly expSeconds: EpochSeconds;
  readonly notBeforeSeconds: EpochSeconds | null;
  readonly authTimeSeconds: EpochSeconds | null;
}

function readTimes({ iat, exp, nbf, auth_time }: Readonly<Record<string, unknown>>): Times | TokenFault {
  const issuedAtSeconds = readSeconds(iat);
  const expSeconds = readSeconds(exp);
  const notBeforeSeconds = nbf === undefined ? null : readSeconds(nbf);
  const authTimeSeconds = auth_time === undefined ? null : readSeconds(auth_time);
  if (issuedAtSeconds === undefined) return tokenFault("times", "iat in seconds", iat);
  if (expSeconds === undefined) return tokenFault("times", "exp in seconds", exp);
  if (notBeforeSeconds === undefined) return tokenFault("times", "nbf in seconds", nbf);
  if (authTimeSeconds === undefined) return tokenFault("times", "auth_time in seconds", auth_time);
  if (expSeconds <= issuedAtSeconds) return tokenFault("times", `exp after iat ${issuedAtSeconds}`, exp);
  return { issuedAtSeconds, expSeconds, notBeforeSeconds, authTimeSeconds };
}

/** A NumericDate may have a fraction (RFC 7519 section 2); whole seconds are enough here. */
function readSeconds(value: unknown): EpochSeconds | undefined {
  if (typeof value !== "number") return undefined;
  const seconds = EpochSeconds.safeParse(Math.floor(value));
  return seconds.success ? seconds.data : undefined;
}

function judgeTimes(times: Times, question: IdTokenQuestion): Refused | undefined {
  const { nowSeconds, loginSecondsMax } = question;
  const { issuedAtSeconds, expSeconds } = times;
  const latest = Math.max(issuedAtSeconds, times.notBeforeSeconds ?? 0, times.authTimeSeconds ?? 0);
  if (latest > nowSeconds + CLOCK_SKEW_SECONDS) {
    const at = `at most ${CLOCK_SKEW_SECONDS} s after ${nowSeconds}`;
    return refused(
      "clock_skew",
      tokenFault("not_yet_valid", at, `${latest} (${latest - nowSeconds} s ahead)`),
    );
  }
  const ageSeconds = nowSeconds - issuedAtSeconds;
  if (ageSeconds > loginSecondsMax + CLOCK_SKEW_SECONDS) {
    return refused(
      "token_too_old",
      tokenFault("too_old", `at most ${loginSecondsMax} s old`, `${ageSeconds} s`),
    );
  }
  const expiryCounts = question.mode === "claiming" || question.requireUnexpired === true;
  if (expiryCounts && nowSeconds >= expSeconds + CLOCK_SKEW_SECONDS) {
    const at = `exp at most ${CLOCK_SKEW_SECONDS} s before ${nowSeconds}`;
    return refused(
      "token_too_old",
      tokenFault("expired", at, `${expSeconds} (${nowSeconds - expSeconds} s ago)`),
    );
  }
  return undefined;
}

function shown<K extends string>(name: K, value: unknown): { [P in K]?: string } {
  const isShown = typeof value === "string" && value.length > 0 && value.length <= SHOWN_LENGTH_MAX;
  return isShown ? ({ [name]: value } as { [P in K]: string }) : {};
}

type Refused = Extract<IdTokenVerdict, { ok: false }>;

function refused(reason: ReasonCode, fault: TokenFault): Refused {
  return { ok: false, reason, fault };
}

function invalid(fault: TokenFault): Refused {
  return refused("token_invalid", fault);
}
