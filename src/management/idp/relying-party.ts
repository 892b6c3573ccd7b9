/**
 * Management as the provider's client, for the sign-ins that run on its own pages. Works with the embedded
 * provider and with any other.
 *
 * The token it returns is not believed here: `login/prove.ts` verifies it like any other.
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
  /** As it came, unverified. */
  readonly idToken: string;
  /** Null: none was given. */
  readonly accessToken: string | null;
}

export interface RelyingParty {
  /** Where the browser goes. Throws ERR_UNAVAILABLE when the provider cannot be asked. */
  authorizationUrl(order: HostedOrder): Promise<string>;
  /**
   * What the code in `callback` is worth. Throws ERR_LOGIN_FAILED or ERR_UNAVAILABLE with the provider's
   * words.
   */
  redeem(answer: {
    readonly callback: URL;
    readonly redirectUri: string;
    readonly state: string;
    readonly verifier: string;
  }): Promise<HostedTokens>;
  /**
   * What UserInfo says of `subject`; null where the provider has no such endpoint. Throws as `redeem` does.
   */
  userInfo(accessToken: string, subject: string): Promise<Readonly<Record<string, unknown>> | null>;
}

export function createRelyingParty(oidc: OidcSettings, clock: Clock): RelyingParty {
  let cache: { document: ProviderDocument; atMs: number } | undefined;
  // What the provider took last, so that the other method is not tried first again and again.
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
