/**
 * Claims that an ID token leaves out, fetched from UserInfo.
 *
 * A missing name is no reason to fail a sign-in. Missing groups are: nobody's groups may change because the
 * provider could not be asked.
 *
 * @module
 */
import { isQfError } from "../../base/errors.ts";
import { failureDetails } from "../../identity/provider-failure.ts";
import { lacksClaims, lacksGroups, namesAccessToken } from "../../identity/user-info.ts";
import type { IdTokenVerdict } from "../../identity/verify.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { RelyingParty } from "../idp/relying-party.ts";

type Claims = Readonly<Record<string, unknown>>;

export interface AccessToken {
  readonly value: string;
  /** `provider`: we received it with the ID token. `client`: a client sent it. */
  readonly from: "provider" | "client";
}

/**
 * What UserInfo adds to `verified`. Empty if nothing is missing or there is no access token. Throws the
 * provider's failure if groups are missing.
 */
export async function moreClaims(
  deps: {
    readonly ctx: Pick<ManagementContext, "oidc" | "log">;
    readonly userInfo: RelyingParty["userInfo"];
  },
  verified: Extract<IdTokenVerdict, { ok: true }>,
  tokens: { readonly idToken: string; readonly accessToken: AccessToken | undefined },
): Promise<Claims> {
  const { oidc, log } = deps.ctx;
  const { payload } = verified;
  const { idToken, accessToken } = tokens;
  if (accessToken === undefined || !lacksClaims(payload, oidc.groupsClaim)) return {};
  // An access token of the same person for another client may show groups that are not meant for us.
  const isOurs = accessToken.from === "provider" || namesAccessToken(idToken, accessToken.value);
  const needsGroups = lacksGroups(payload, oidc.groupsClaim);
  try {
    const claims = (await deps.userInfo(accessToken.value, String(payload.sub))) ?? {};
    if (isOurs || !needsGroups) return claims;
    log.warn("groups of UserInfo not taken: the ID token does not name its access token (at_hash)", {
      claim: oidc.groupsClaim,
    });
    return withoutGroups(claims, oidc.groupsClaim ?? "");
  } catch (error) {
    if (needsGroups || !isQfError(error)) throw error;
    log.warn("UserInfo not read", { ...failureDetails(error), message: error.message });
    return {};
  }
}

function withoutGroups(claims: Claims, path: string): Claims {
  const isGroups = (name: string): boolean => path === name || path.startsWith(`${name}.`);
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !isGroups(name)));
}
