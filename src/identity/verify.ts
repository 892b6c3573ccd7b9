/**
 * Verification of an ID token: which person the provider says it is, and whether it names the login key.
 *
 * The same checks serve the machine (offline, keys from the network map) and management when it claims a
 * login. Neither fetches anything: issuers and their keys are arguments, and so is the time. `jws.ts` has the
 * signature; this file has the claims (OpenID Connect Core 3.1.3.7).
 *
 * @module
 */
import { sha256 } from "../base/random.ts";
import { CLOCK_SKEW_SECONDS } from "../wire/certificate.ts";
import type { TrustedIssuer } from "../wire/network-map.ts";
import type { ReasonCode } from "../wire/reason.ts";
import { type DurationSeconds, EpochSeconds } from "../wire/units.ts";
import { isSignedByOneOf, type ParsedJws, parseCompactJws } from "./jws.ts";

export interface IdTokenQuestion {
  /** As it came, unverified. */
  readonly token: string;
  readonly issuers: readonly TrustedIssuer[];
  readonly nowSeconds: EpochSeconds;
  /** Longest since the token's `iat`. */
  readonly loginSecondsMax: DurationSeconds;
  /** SSH blob of the login key, whose digest must be the token's `nonce`. */
  readonly loginKeyBlob: Uint8Array;
  /**
   * `machine` (default): `nonce` must be there, `exp` was counted at claiming. `claiming`: `exp` counts,
   * and a token without `nonce` is told from one that names this login key by `binding`.
   */
  readonly mode?: "machine" | "claiming";
  /** For a machine: `exp` counts too. Default false. */
  readonly requireUnexpired?: boolean;
}

export interface IdTokenClaims {
  /** `auth_time`. Null: the provider does not say. */
  readonly authTimeSeconds: EpochSeconds | null;
  readonly issuedAtSeconds: EpochSeconds;
  readonly expSeconds: EpochSeconds;
  /** For showing only. Absent: not given, or not a string of a sane length. */
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
  | { readonly ok: false; readonly reason: ReasonCode };

const SUBJECT_LENGTH_MAX = 512;
const SHOWN_LENGTH_MAX = 254;
const AUDIENCES_MAX = 16;

/** The `nonce` that names a login key: base64url SHA-256 of its SSH blob. */
export function nonceOf(loginKeyBlob: Uint8Array): string {
  return sha256(loginKeyBlob);
}

/**
 * Verifies an ID token. A reason other than `token_invalid` is given only once its signature was good.
 *
 * Reasons: `token_invalid`; `token_too_old` (older than the cap, or expired where that counts);
 * `clock_skew` (from more than 60 s in the future).
 */
export async function verifyIdToken(question: IdTokenQuestion): Promise<IdTokenVerdict> {
  const jws = parseCompactJws(question.token);
  if (jws === undefined || !isIdTokenType(jws)) return deny("token_invalid");
  const issuer = issuerOf(jws.payload, question.issuers);
  if (issuer === undefined) return deny("token_invalid");
  if (!(await isSignedByOneOf(jws, issuer.keys))) return deny("token_invalid");

  const { payload } = jws;
  const times = readTimes(payload);
  const subject = readSubject(payload, issuer.userIdClaim);
  const binding = readBinding(payload, question);
  if (times === undefined || subject === undefined || binding === undefined) return deny("token_invalid");
  // A logout token (OpenID Connect Back-Channel Logout 2.4) has no nonce and looks like an ID token.
  if (payload.events !== undefined) return deny("token_invalid");
  const late = judgeTimes(times, question);
  if (late !== undefined) return deny(late);

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

/** The issuer that the token names exactly, and for one of whose audiences it is. */
function issuerOf(
  payload: Readonly<Record<string, unknown>>,
  issuers: readonly TrustedIssuer[],
): TrustedIssuer | undefined {
  const { iss, aud, azp } = payload;
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (audiences.length > AUDIENCES_MAX) return undefined;
  if (!audiences.every((audience) => typeof audience === "string")) return undefined;
  if (audiences.length > 1 && azp === undefined) return undefined;
  return issuers.find(
    (issuer) =>
      issuer.issuer === iss &&
      audiences.some((audience) => issuer.audiences.includes(audience)) &&
      (azp === undefined || (typeof azp === "string" && issuer.audiences.includes(azp))),
  );
}

/** `sub` must be there whatever claim names the person. */
function readSubject(payload: Readonly<Record<string, unknown>>, userIdClaim: string): string | undefined {
  const named = Object.hasOwn(payload, userIdClaim) ? payload[userIdClaim] : undefined;
  return isSubject(payload.sub) && isSubject(named) ? named : undefined;
}

function isSubject(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= SUBJECT_LENGTH_MAX;
}

function readBinding(
  { nonce }: Readonly<Record<string, unknown>>,
  { mode, loginKeyBlob }: IdTokenQuestion,
): "idp" | "ca" | undefined {
  if (nonce === undefined) return mode === "claiming" ? "ca" : undefined;
  return nonce === nonceOf(loginKeyBlob) ? "idp" : undefined;
}

interface Times {
  readonly issuedAtSeconds: EpochSeconds;
  readonly expSeconds: EpochSeconds;
  readonly notBeforeSeconds: EpochSeconds | null;
  readonly authTimeSeconds: EpochSeconds | null;
}

function readTimes({ iat, exp, nbf, auth_time }: Readonly<Record<string, unknown>>): Times | undefined {
  const issuedAtSeconds = readSeconds(iat);
  const expSeconds = readSeconds(exp);
  const notBeforeSeconds = nbf === undefined ? null : readSeconds(nbf);
  const authTimeSeconds = auth_time === undefined ? null : readSeconds(auth_time);
  if (issuedAtSeconds === undefined || expSeconds === undefined) return undefined;
  if (notBeforeSeconds === undefined || authTimeSeconds === undefined) return undefined;
  if (expSeconds <= issuedAtSeconds) return undefined;
  return { issuedAtSeconds, expSeconds, notBeforeSeconds, authTimeSeconds };
}

/** A NumericDate may have a fraction (RFC 7519 section 2); whole seconds are enough here. */
function readSeconds(value: unknown): EpochSeconds | undefined {
  if (typeof value !== "number") return undefined;
  const seconds = EpochSeconds.safeParse(Math.floor(value));
  return seconds.success ? seconds.data : undefined;
}

function judgeTimes(times: Times, question: IdTokenQuestion): ReasonCode | undefined {
  const { nowSeconds, loginSecondsMax } = question;
  const latest = Math.max(times.issuedAtSeconds, times.notBeforeSeconds ?? 0, times.authTimeSeconds ?? 0);
  if (latest > nowSeconds + CLOCK_SKEW_SECONDS) return "clock_skew";
  if (nowSeconds - times.issuedAtSeconds > loginSecondsMax + CLOCK_SKEW_SECONDS) return "token_too_old";
  const expiryCounts = question.mode === "claiming" || question.requireUnexpired === true;
  if (expiryCounts && nowSeconds >= times.expSeconds + CLOCK_SKEW_SECONDS) return "token_too_old";
  return undefined;
}

function shown<K extends string>(name: K, value: unknown): { [P in K]?: string } {
  const isShown = typeof value === "string" && value.length > 0 && value.length <= SHOWN_LENGTH_MAX;
  return isShown ? ({ [name]: value } as { [P in K]: string }) : {};
}

function deny(reason: ReasonCode): IdTokenVerdict {
  return { ok: false, reason };
}
