/**
 * Management as the provider's client, for the sign-ins that run on its own pages: authorization code
 * with PKCE. Works with the embedded provider and with any other.
 *
 * The token it returns is not believed here: `login/prove.ts` verifies it like any other.
 *
 * @module
 */
import * as oauth from "oauth4webapi";
import type { Clock } from "../../base/clock.ts";
import { QfError } from "../../base/errors.ts";
import { isSafeUrl } from "../../identity/strict-fetch.ts";
import type { OidcSettings } from "../context.ts";

const DISCOVERY_MS = 10 * 60_000;

export interface AuthorizationOrder {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE. */
  readonly verifier: string;
  /** Ask for a new sign-in whatever session the browser has. */
  readonly fresh: boolean;
  readonly promptLogin: boolean;
  /** Further parameters, for the embedded provider's page. */
  readonly extra?: Readonly<Record<string, string>>;
}

export interface RelyingParty {
  /** Where the browser goes. Throws ERR_UNAVAILABLE when the provider cannot be asked. */
  authorizationUrl(order: AuthorizationOrder): Promise<string>;
  /** The ID token for the code in `callback`. Throws ERR_LOGIN_FAILED, also when the person said no. */
  redeem(answer: {
    readonly callback: URL;
    readonly redirectUri: string;
    readonly state: string;
    readonly verifier: string;
  }): Promise<string>;
}

export function createRelyingParty(oidc: OidcSettings, clock: Clock): RelyingParty {
  const client: oauth.Client = { client_id: oidc.clientId };
  const authentication =
    oidc.clientSecret === null ? oauth.None() : oauth.ClientSecretBasic(oidc.clientSecret);
  const http = {
    [oauth.customFetch]: (url: string, init: object): Promise<Response> => oidc.fetch(url, init),
    // `identity/strict-fetch.ts` and the embedded provider's own path keep to loopback where this is needed.
    [oauth.allowInsecureRequests]: isSafeUrl(oidc.issuer),
  };
  let known: { server: oauth.AuthorizationServer; atMs: number } | undefined;

  async function discover(): Promise<oauth.AuthorizationServer> {
    if (known !== undefined && clock.monotonicMs() - known.atMs < DISCOVERY_MS) return known.server;
    try {
      const issuer = new URL(oidc.issuer);
      const response = await oauth.discoveryRequest(issuer, http);
      const server = await oauth.processDiscoveryResponse(issuer, response);
      known = { server, atMs: clock.monotonicMs() };
      return server;
    } catch (cause) {
      throw new QfError("ERR_UNAVAILABLE", "the identity provider cannot be reached", {
        hint: "try again; if it stays, tell an administrator",
        cause,
      });
    }
  }

  return {
    async authorizationUrl(order) {
      const server = await discover();
      const endpoint = server.authorization_endpoint ?? "";
      if (!isSafeUrl(endpoint)) throw new QfError("ERR_UNAVAILABLE", "the identity provider has no page");
      const url = new URL(endpoint);
      const parameters = {
        client_id: oidc.clientId,
        redirect_uri: order.redirectUri,
        response_type: "code",
        scope: oidc.scope,
        state: order.state,
        nonce: order.nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(order.verifier),
        code_challenge_method: "S256",
        ...(order.fresh || order.promptLogin ? { prompt: "login" } : {}),
        ...(order.fresh ? { max_age: "0" } : {}),
        ...order.extra,
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url.href;
    },
    async redeem({ callback, redirectUri, state, verifier }) {
      const server = await discover();
      try {
        const parameters = oauth.validateAuthResponse(server, client, callback, state);
        const response = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          authentication,
          parameters,
          redirectUri,
          verifier,
          http,
        );
        // The nonce is judged with the rest of the token, since some providers leave it out.
        const tokens = await oauth.processGenericTokenEndpointResponse(server, client, response);
        if (tokens.id_token === undefined) throw new Error("no ID token");
        return tokens.id_token;
      } catch (cause) {
        const isDenied = cause instanceof oauth.AuthorizationResponseError && cause.error === "access_denied";
        throw new QfError(
          "ERR_LOGIN_FAILED",
          isDenied ? "the sign-in was refused" : "the identity provider's answer cannot be accepted",
          { hint: "go back to the terminal and start again", cause },
        );
      }
    },
  };
}
