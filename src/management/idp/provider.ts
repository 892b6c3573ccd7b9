/**
 * The embedded identity provider: oidc-provider, reduced to authorization code with PKCE for qf.
 *
 * It has no dynamic registration, device flow, refresh tokens, userinfo, introspection or logout pages.
 * `interactions.ts` has the sign-in pages; `adapter.ts` the storage.
 *
 * @module
 */
import type { JsonWebKey } from "node:crypto";
import type { Configuration, JWKS, KoaContextWithOIDC, Provider } from "oidc-provider";
import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import { messagePage, pageHeaders } from "../../base/html.ts";
import type { Log } from "../../base/log.ts";
import { createAdapterFactory } from "./adapter.ts";
import { CookieKeys } from "./cookie-keys.ts";
import type { PasswordAccounts, PayloadStore } from "./store.ts";

/** The only client: `qf` with a loopback redirect, and management's own hosted flow. */
export const EMBEDDED_CLIENT_ID = "qufabric-cli";
export const EMBEDDED_SCOPE = "openid profile email";
/** Callback of the hosted flow, under management's origin. */
export const HOSTED_CALLBACK_PATH = "/login/callback";
/** Callback of `qf` itself. The provider accepts any port (RFC 8252 section 7.3). */
const LOOPBACK_REDIRECT = "http://127.0.0.1/callback";
/** Optional request parameter: the name of the device being signed in. Only shown. */
export const DEVICE_NAME_PARAM = "qf_device";

const SESSION_SECONDS = 12 * 3600;
/** Five minutes for the person, and one for the callback. */
const INTERACTION_SECONDS = 360;
const CODE_SECONDS = 60;
const ID_TOKEN_SECONDS = 3600;

export interface ProviderDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly origin: string;
  /** Origin of the dashboard. Absent: `origin`. */
  readonly dashboardOrigin?: string;
  readonly accounts: PasswordAccounts;
  readonly payloads: PayloadStore;
  /** Private JWKs, the EdDSA key first. */
  readonly signingKeys: readonly JsonWebKey[];
  readonly cookieKeys: readonly string[];
}

/** Creates the provider with issuer `<origin>/idp`. Starts nothing. */
export async function createProvider(deps: ProviderDeps): Promise<Provider> {
  const { Provider: Constructor, errors } = await loadQuietly();
  const provider = new Constructor(`${deps.origin}/idp`, {
    ...configuration(deps),
    adapter: createAdapterFactory({
      payloads: deps.payloads,
      clock: deps.clock,
      usedBefore: () => new errors.InvalidGrant("grant request is invalid"),
      unavailable(cause) {
        deps.log.error("identity provider failed", {}, cause);
        return new errors.TemporarilyUnavailable();
      },
    }),
  });
  allowHostedRedirects(provider, hostedRedirects(deps));
  // Trusts forwarded headers: `mount.ts` writes origin, scheme and source itself.
  provider.proxy = true;
  provider.silent = true;
  provider.on("server_error", (_ctx, error) => deps.log.error("identity provider failed", {}, error));
  return provider;
}

/** Callbacks of sign-ins that management's own pages run. */
export function hostedRedirects({
  origin,
  dashboardOrigin = origin,
}: Pick<ProviderDeps, "origin" | "dashboardOrigin">): ReadonlySet<unknown> {
  return new Set([origin, dashboardOrigin].map((one) => one + HOSTED_CALLBACK_PATH));
}

/**
 * Allows the hosted flow's redirect beside the loopback one for the same client, so that tokens of both have
 * one audience. It cannot be registered: the provider refuses https on a loopback address for a native
 * client, and our origin may be one.
 */
function allowHostedRedirects(provider: Provider, redirects: ReadonlySet<unknown>): void {
  const { prototype } = provider.Client;
  const isRegistered = prototype.redirectUriAllowed;
  prototype.redirectUriAllowed = function isAllowed(uri: string): boolean {
    return redirects.has(uri) || isRegistered.call(this, uri);
  };
}

/** oidc-provider warns on the console, on import, about any runtime that is not Node.js LTS. */
async function loadQuietly(): Promise<typeof import("oidc-provider")> {
  const { warn } = console;
  console.warn = () => {};
  try {
    return await import("oidc-provider");
  } finally {
    console.warn = warn;
  }
}

function configuration(deps: ProviderDeps): Configuration {
  return {
    ...identityTokens(deps),
    ...authorizationCode(),
    cookies: cookies(deps.cookieKeys),
    interactions: { url: (_ctx, interaction) => `/idp/interaction/${interaction.uid}` },
    findAccount: async (_ctx, subject) => {
      const account = await deps.accounts.find(subject);
      if (account === undefined) return undefined;
      return {
        accountId: account.subject,
        claims: () => ({ sub: account.subject, email: account.email, name: account.name }),
      };
    },
    // Grants every requested scope for this one sign-in; no consent is remembered.
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client?.clientId,
        accountId: ctx.oidc.session?.accountId,
      });
      grant.addOIDCScope(EMBEDDED_SCOPE);
      await grant.save();
      return grant;
    },
    renderError,
  };
}

/** The content of ID tokens, and the keys that sign them. */
function identityTokens(deps: ProviderDeps): Configuration {
  return {
    jwks: { keys: [...deps.signingKeys] } as JWKS,
    scopes: ["openid"],
    // `acr` identifies the password that was given; see `passwordStamp`.
    claims: { openid: ["sub", "acr"], email: ["email"], profile: ["name"] },
    // Puts name and e-mail into the ID token itself, since there is no userinfo endpoint.
    conformIdTokenClaims: false,
    subjectTypes: ["public"],
    enabledJWA: { idTokenSigningAlgValues: ["EdDSA", "ES256"] },
  };
}

/** The one client and the one flow, an authorization code with PKCE. Everything else is off. */
function authorizationCode(): Configuration {
  return {
    clients: [
      {
        client_id: EMBEDDED_CLIENT_ID,
        client_name: "QuFabric",
        application_type: "native",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code"],
        response_types: ["code"],
        redirect_uris: [LOOPBACK_REDIRECT],
        id_token_signed_response_alg: "EdDSA",
        require_auth_time: true,
      },
    ],
    allowOmittingSingleRegisteredRedirectUri: false,
    responseTypes: ["code"],
    clientAuthMethods: ["none"],
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    extraParams: { [DEVICE_NAME_PARAM]: null },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    ttl: {
      AccessToken: CODE_SECONDS,
      AuthorizationCode: CODE_SECONDS,
      Grant: SESSION_SECONDS,
      IdToken: ID_TOKEN_SECONDS,
      Interaction: INTERACTION_SECONDS,
      Session: SESSION_SECONDS,
    },
  };
}

function cookies(keys: readonly string[]): NonNullable<Configuration["cookies"]> {
  assert(keys.length > 0, "the provider has a key for its cookies");
  return {
    // Typed as strings, but any object that signs is accepted.
    keys: new CookieKeys(keys) as unknown as string[],
    names: { session: "qf_idp_session", interaction: "qf_idp_interaction", resume: "qf_idp_resume" },
    long: { signed: true, httpOnly: true, sameSite: "lax", path: "/idp" },
    short: { signed: true, httpOnly: true, sameSite: "lax" },
  };
}

function renderError(ctx: KoaContextWithOIDC, out: { error: string }): void {
  ctx.set(pageHeaders());
  const expired = out.error === "invalid_request" && ctx.path.startsWith("/auth/");
  ctx.body = messagePage(
    "Sign-in failed",
    expired
      ? "This sign-in has expired or was finished already."
      : `The request is not valid (${out.error}).`,
    "Go back to the terminal and start again.",
  );
}
