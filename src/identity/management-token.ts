/**
 * Management's own short-lived token, which a certificate carries when it may not carry the ID token.
 *
 * Its `typ` separates it from ID tokens in both directions: `verifyIdToken` accepts `JWT` or no type, this
 * accepts only its own. It names the login key (`cnf`) and one machine (`aud`), so it is useless to anyone
 * else and anywhere else.
 *
 * @module
 */
import { SignJWT } from "jose";
import type { Ed25519Key } from "../base/ed25519.ts";
import { newId, sha256 } from "../base/random.ts";
import type { Binding } from "../wire/certificate.ts";
import {
  CERTIFICATE_LIFETIME_SECONDS,
  CLOCK_SKEW_SECONDS,
  MANAGEMENT_TOKEN_TYPE,
  ManagementTokenClaims,
} from "../wire/certificate.ts";
import type { PublicJwk } from "../wire/network-map.ts";
import type { ReasonCode } from "../wire/reason.ts";
import type { Ed25519PublicKey, EpochSeconds, PeerId, UserId } from "../wire/units.ts";
import { isSignedByOneOf, parseCompactJws } from "./jws.ts";

export interface ManagementTokenOrder {
  readonly signingKey: { readonly kid: string; readonly key: Ed25519Key };
  /** Management's public origin. */
  readonly origin: string;
  readonly userId: UserId;
  readonly targetPeerId: PeerId;
  /** Raw, base64url. */
  readonly loginKey: Ed25519PublicKey;
  readonly binding: Binding;
  readonly nowSeconds: EpochSeconds;
}

export interface ManagementTokenQuestion {
  readonly token: string;
  /** `managementKeys` of the map. */
  readonly keys: readonly PublicJwk[];
  readonly origin: string;
  readonly selfPeerId: PeerId;
  readonly loginKey: Ed25519PublicKey;
  readonly nowSeconds: EpochSeconds;
}

export type ManagementTokenVerdict =
  | { readonly ok: true; readonly userId: UserId; readonly binding: Binding; readonly tokenId: string }
  | { readonly ok: false; readonly reason: ReasonCode };

/** Signs a token valid for 120 s, at one machine, with one login key. */
export function signManagementToken(order: ManagementTokenOrder): Promise<string> {
  const { kid, key } = order.signingKey;
  const claims: ManagementTokenClaims = {
    iss: order.origin,
    sub: order.userId,
    aud: order.targetPeerId,
    cnf: { jkt: thumbprint(order.loginKey) },
    iat: order.nowSeconds,
    exp: order.nowSeconds + CERTIFICATE_LIFETIME_SECONDS,
    jti: newId(),
    binding: order.binding,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "EdDSA", typ: MANAGEMENT_TOKEN_TYPE, kid })
    .sign(key.privateKeyObject);
}

/**
 * Verifies a token of `signManagementToken`.
 *
 * The caller compares `userId` and `binding` with the certificate's identity. Reasons as those of
 * `verifyIdToken`; `wrong_target` when it is for another machine.
 */
export async function verifyManagementToken(
  question: ManagementTokenQuestion,
): Promise<ManagementTokenVerdict> {
  const jws = parseCompactJws(question.token);
  if (jws === undefined || jws.typ !== MANAGEMENT_TOKEN_TYPE || jws.algorithm !== "EdDSA") {
    return deny("token_invalid");
  }
  if (jws.kid === undefined || !(await isSignedByOneOf(jws, question.keys))) return deny("token_invalid");

  const parsed = ManagementTokenClaims.safeParse(jws.payload);
  if (!parsed.success) return deny("token_invalid");
  const claims = parsed.data;
  if (claims.iss !== question.origin) return deny("token_invalid");
  if (claims.cnf.jkt !== thumbprint(question.loginKey)) return deny("token_invalid");
  const lifetimeSeconds = claims.exp - claims.iat;
  if (lifetimeSeconds <= 0 || lifetimeSeconds > CERTIFICATE_LIFETIME_SECONDS) return deny("token_invalid");
  if (claims.aud !== question.selfPeerId) return deny("wrong_target");
  if (claims.iat > question.nowSeconds + CLOCK_SKEW_SECONDS) return deny("clock_skew");
  if (question.nowSeconds >= claims.exp + CLOCK_SKEW_SECONDS) return deny("token_too_old");
  return { ok: true, userId: claims.sub, binding: claims.binding, tokenId: claims.jti };
}

/** RFC 7638 thumbprint of an Ed25519 key: members in order, without white space. */
function thumbprint(publicKey: Ed25519PublicKey): string {
  return sha256(`{"crv":"Ed25519","kty":"OKP","x":"${publicKey}"}`);
}

function deny(reason: ReasonCode): ManagementTokenVerdict {
  return { ok: false, reason };
}
