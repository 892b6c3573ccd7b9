/**
 * Management as a client of the provider, for sign-ins on its own pages. Works with the embedded provider and
 * any other.
 *
 * It does not verify the tokens it returns; `login/prove.ts` does, as for any token.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { type AuthorizationOrder, authorizationUrl, redeemCode } from "../../identity/code-flow.ts";
import { fetchProviderDocument } from "../../identity/provider-document.ts";
import { fetchUserInfo } from "../../identity/user-info.ts";
import type { ProviderDocument } from "../../wire/identity-provider.ts";
import type { OidcSettings } from "../contracts/context.ts";

const DISCOVERY_MS = 10 * 60_000;

export type HostedOrder = Omit<AuthorizationOrder, "clientId" | "scope">;

export interface HostedTokens {
  /** As received, unverified. */
  readonly idToken: string;
  /** Null: the provider sent none. */
  readonly accessToken: string | null;
}

export interface RelyingParty {
  /** The URL to send the browser to. Throws ERR_UNAVAILABLE if the provider cannot be reached. */
  authorizationUrl(order: HostedOrder): Promise<string>;
  /**
   * Exchanges the code in `callback` for tokens. Throws ERR_LOGIN_FAILED or ERR_UNAVAILABLE with the
   * provider's message.
   */
  redeem(answer: {
    readonly callback: URL;
    readonly redirectUri: string;
    readonly state: string;
    readonly verifier: string;
  }): Promise<HostedTokens>;
  /**
   * UserInfo's claims about `subject`; null if the provider has no such endpoint. Throws as `redeem` does.
   */
  userInfo(accessToken: string, subject: string): Promise<Readonly<Record<string, unknown>> | null>;
}

export function createRelyingParty(oidc: OidcSettings, clock: Clock): RelyingParty {
  let cache: { document: ProviderDocument; atMs: number } | undefined;
  // The method that the provider accepted last, so that the other one is not tried first each time.
  let { clientAuth } = oidc;

  async function discover(): Promise<ProviderDocument> {
    if (cache !== undefined && clock.monotonicMs() - cache.atMs < DISCOVERY_MS) return cache.document;
    const document = await fetchProviderDocument(oidc.issuer, oidc.fetch);
    cache = { document, atMs: clock.monotonicMs() };
    return document;
  }

  return {
    async authorizationUrl(order) {
      const { webClientId: clientId, scope } = oidc;
      return authorizationUrl(await discover(), { ...order, clientId, scope });
    },
    async redeem(answer) {
      const { webClientId: clientId, clientSecret } = oidc;
      const credentials = { clientId, clientSecret, clientAuth };
      const redeemed = await redeemCode(await discover(), { ...answer, credentials, fetch: oidc.fetch });
      clientAuth = redeemed.clientAuth;
      return redeemed;
    },
    async userInfo(accessToken, subject) {
      const { userinfo_endpoint: endpoint } = await discover();
      if (endpoint === undefined) return null;
      return fetchUserInfo({ endpoint, accessToken, subject, fetch: oidc.fetch });
    },
  };
}
