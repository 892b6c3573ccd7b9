/**
 * UserInfo (OpenID Connect Core 5.3), for claims that the provider leaves out of its ID token.
 *
 * It only adds missing claims. The ID token alone identifies the person.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { QfError } from "../base/errors.ts";
import { parseJson } from "../base/files.ts";
import { isEqualSecret } from "../base/random.ts";
import { ProviderErrorAnswer } from "../wire/identity-provider.ts";
import { readGroupsClaim } from "./groups-claim.ts";
import { parseCompactJws } from "./jws.ts";
import { ProviderRefusal, providerRefused } from "./provider-failure.ts";
import { shown } from "./token-fault.ts";

type Claims = Readonly<Record<string, unknown>>;

/** Whether the ID token lacks the person's name, e-mail or groups. */
export function lacksClaims(payload: Claims, groupsClaim: string | null): boolean {
  return !isText(payload.name) || !isText(payload.email) || lacksGroups(payload, groupsClaim);
}

/** Whether groups come from the provider and the ID token lacks them. */
export function lacksGroups(payload: Claims, groupsClaim: string | null): boolean {
  if (groupsClaim === null) return false;
  const { kind } = readGroupsClaim(payload, groupsClaim);
  return kind === "absent" || kind === "elsewhere";
}

/** `payload` with what UserInfo adds. The e-mail and its verified flag come from the same source. */
export function withUserInfo(payload: Claims, userInfo: Claims): Claims {
  if (isText(payload.email)) return { ...userInfo, email_verified: undefined, ...payload };
  const { email: _, email_verified: __, ...rest } = payload;
  return { ...userInfo, ...rest };
}

export interface UserInfoQuestion {
  readonly endpoint: string;
  readonly accessToken: string;
  /** `sub` of the verified ID token. */
  readonly subject: string;
  /** Bounds time and size. */
  readonly fetch: typeof fetch;
}

/**
 * What UserInfo says of `subject`. Throws ERR_UNAVAILABLE, or ERR_LOGIN_FAILED when it is about somebody
 * else.
 */
export async function fetchUserInfo(question: UserInfoQuestion): Promise<Claims> {
  const { endpoint, accessToken, subject, fetch: doFetch } = question;
  const response = await doFetch(endpoint, {
    headers: { accept: "application/json", authorization: `Bearer ${accessToken}` },
  });
  const value = parseJson(await response.text());
  if (!response.ok) {
    const answer = ProviderErrorAnswer.safeParse(value);
    const error = answer.success ? answer.data.error : `HTTP status ${response.status}`;
    const description = answer.success ? answer.data.error_description : undefined;
    throw providerRefused(new ProviderRefusal("userinfo", { error, description }));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new QfError("ERR_LOGIN_FAILED", "the identity provider's UserInfo is not JSON", {
      hint: "have it answer without a signature of its own (userinfo_signed_response_alg none)",
    });
  }
  const claims = value as Claims;
  // OpenID Connect Core 5.3.2: without this check another person's claims could be substituted.
  if (claims.sub !== subject) {
    throw new QfError("ERR_LOGIN_FAILED", "the identity provider's UserInfo is about somebody else", {
      hint: `expected sub ${shown(subject)}, got ${shown(claims.sub)}`,
    });
  }
  return claims;
}

/** Whether the ID token was issued with this access token (`at_hash`, OpenID Connect Core 3.1.3.6). */
export function namesAccessToken(idToken: string, accessToken: string): boolean {
  const jws = parseCompactJws(idToken);
  const named = jws?.payload.at_hash;
  if (jws === undefined || typeof named !== "string") return false;
  const digest = createHash(jws.algorithm === "EdDSA" ? "sha512" : "sha256")
    .update(accessToken)
    .digest();
  return isEqualSecret(named, digest.subarray(0, digest.length / 2).toString("base64url"));
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
