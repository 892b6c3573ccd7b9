/**
 * Step 5 of a sign-in (src/ARCHITECTURE.md): verifies the token in a certificate, the provider's or
 * management's.
 *
 * @module
 */
import type { Certificate } from "../../certificate/certificate.ts";
import { verifyManagementToken } from "../../identity/management-token.ts";
import { verifyIdToken } from "../../identity/verify.ts";
import type { PolicySnapshot } from "../../policy/decide/snapshot.ts";
import { MANAGEMENT_TOKEN_TYPE } from "../../wire/certificate.ts";
import type { ReasonCode } from "../../wire/reason.ts";
import type { EpochSeconds } from "../../wire/units.ts";
import type { ServerContext } from "../contracts/server-context.ts";

export interface TokenQuestion {
  readonly serverContext: Pick<ServerContext, "pinned" | "refreshPinned">;
  readonly snapshot: PolicySnapshot;
  readonly certificate: Pick<Certificate, "identity" | "idToken" | "loginKey">;
  readonly loginKeyBlob: Buffer;
  readonly at: EpochSeconds;
}
export type TokenAnswer = { readonly authTimeSeconds: EpochSeconds | null } | { readonly reason: ReasonCode };

/** Checks the token in the certificate: the provider's for binding `idp`, else management's own. */
export async function checkToken(question: TokenQuestion): Promise<TokenAnswer> {
  const { identity, idToken } = question.certificate;
  const pinned = question.serverContext.pinned();
  if (pinned !== null && (identity.binding !== "idp" || identity.issuer !== pinned.issuer)) {
    return { reason: "binding_not_accepted" };
  }
  if (idToken === null) {
    // The account keeps ID tokens from machines, so rely on management's statement, as for other logins.
    if (identity.binding !== "idp") return { reason: "token_invalid" };
    return pinned === null
      ? { authTimeSeconds: identity.authTimeSeconds }
      : { reason: "binding_not_accepted" };
  }
  if (identity.binding === "idp" && !isManagementToken(idToken)) return checkIdToken(question, idToken);
  if (pinned !== null) return { reason: "binding_not_accepted" };
  const { map } = question.snapshot;
  const authorization = await verifyManagementToken({
    token: idToken,
    keys: map.managementKeys,
    origin: map.origin,
    selfPeerId: map.self.peerId,
    loginKey: question.certificate.loginKey,
    nowSeconds: question.at,
  });
  if (!authorization.ok) return { reason: authorization.reason };
  const isSame = authorization.userId === identity.userId && authorization.binding === identity.binding;
  return isSame ? { authTimeSeconds: identity.authTimeSeconds } : { reason: "token_invalid" };
}

/**
 * Checks the provider's token by the map's keys, or by the pinned issuer's keys; it must then be unexpired.
 */
export async function checkIdToken(question: TokenQuestion, token: string): Promise<TokenAnswer> {
  const { map } = question.snapshot;
  const verify = () => {
    const pinned = question.serverContext.pinned();
    return verifyIdToken({
      token,
      // With a pinned issuer, management chooses neither its keys nor its user claim.
      issuers:
        pinned === null
          ? map.issuers
          : [
              {
                issuer: pinned.issuer,
                audiences: [...pinned.audiences],
                userIdClaim: "sub",
                keys: [...pinned.keys],
              },
            ],
      nowSeconds: question.at,
      loginSecondsMax: map.settings.loginSecondsMax,
      loginKeyBlob: question.loginKeyBlob,
      requireUnexpired: pinned !== null,
    });
  };
  let authorization = await verify();
  if (
    !authorization.ok &&
    authorization.reason === "token_invalid" &&
    question.serverContext.pinned() !== null
  ) {
    // The issuer may have a new key.
    await question.serverContext.refreshPinned();
    authorization = await verify();
  }
  if (!authorization.ok) {
    return { reason: (await isOfOtherClient(question, token)) ? "client_not_pinned" : authorization.reason };
  }
  const { identity } = question.certificate;
  const isSame = authorization.issuer === identity.issuer && authorization.subject === identity.subject;
  return isSame ? { authTimeSeconds: authorization.claims.authTimeSeconds } : { reason: "token_invalid" };
}

/** Whether a pinned machine rejects the token only because of the client it was issued to. */
async function isOfOtherClient(question: TokenQuestion, token: string): Promise<boolean> {
  const pinned = question.serverContext.pinned();
  if (pinned === null) return false;
  const { issuers, settings } = question.snapshot.map;
  const known = issuers
    .filter(({ issuer }) => issuer === pinned.issuer)
    .flatMap(({ audiences }) => audiences);
  const verdict = await verifyIdToken({
    token,
    issuers: [{ issuer: pinned.issuer, audiences: known, userIdClaim: "sub", keys: [...pinned.keys] }],
    nowSeconds: question.at,
    loginSecondsMax: settings.loginSecondsMax,
    loginKeyBlob: question.loginKeyBlob,
    requireUnexpired: true,
  });
  return verdict.ok;
}

/** Tells the two kinds apart by their `typ` header. Each is then verified as what it claims to be. */
export function isManagementToken(token: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString("utf8"));
    return (header as { typ?: unknown } | null)?.typ === MANAGEMENT_TOKEN_TYPE;
  } catch {
    return false;
  }
}
