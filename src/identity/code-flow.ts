/**
 * The authorization code flow with PKCE (RFC 6749, RFC 7636) against any provider, for `qf` on a loopback
 * redirect and for management's own pages.
 *
 * The returned token is not verified here but by `verify.ts`, like every other token.
 *
 * @module
 */
import * as oauth from "oauth4webapi";
import { isQfError, QfError } from "../base/errors.ts";
import { parseJson } from "../base/files.ts";
import { ID_TOKEN_BYTES_MAX } from "../wire/certificate.ts";
import {
  type ClientAuthMethod,
  type ProviderDocument,
  ProviderErrorAnswer,
  TokenAnswer,
} from "../wire/identity-provider.ts";
import { type ClientCredentials, clientAuthentication, clientAuthMethods } from "./client-auth.ts";
import { ProviderRefusal, providerRefused } from "./provider-failure.ts";
import { isSafeUrl } from "./strict-fetch.ts";
import { shown } from "./token-fault.ts";

export interface AuthorizationOrder {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scope: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE code verifier. */
  readonly verifier: string;
  /** Require a fresh sign-in, whatever session the browser has (`max_age=0`). */
  readonly fresh: boolean;
  /** Also send `prompt=login`: some providers refuse it, others support nothing else. */
  readonly promptLogin: boolean;
  /** Further parameters, for the embedded provider's page. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** Random values of one sign-in. */
export const newState = (): string => oauth.generateRandomState();
export const newVerifier = (): string => oauth.generateRandomCodeVerifier();

/** The URL to open in the browser. */
export async function authorizationUrl(
  document: ProviderDocument,
  order: AuthorizationOrder,
): Promise<string> {
  const url = new URL(document.authorization_endpoint);
  const parameters = {
    client_id: order.clientId,
    redirect_uri: order.redirectUri,
    response_type: "code",
    scope: order.scope,
    state: order.state,
    nonce: order.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(order.verifier),
    code_challenge_method: "S256",
    ...(order.promptLogin ? { prompt: "login" } : {}),
    ...(order.fresh ? { max_age: "0" } : {}),
    ...order.extra,
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

export interface CodeAnswer {
  readonly credentials: ClientCredentials;
  /** The URL with which the browser returned. */
  readonly callback: URL;
  readonly redirectUri: string;
  readonly state: string;
  readonly verifier: string;
  /** Bounds time and size. */
  readonly fetch: typeof fetch;
}

export interface Redeemed {
  /** As received, unverified. */
  readonly idToken: string;
  /** For UserInfo. Null: none was issued. */
  readonly accessToken: string | null;
  /** The method that the provider accepted. */
  readonly clientAuth: ClientAuthMethod | null;
}

/** Redeems a code. Throws ERR_LOGIN_FAILED or ERR_UNAVAILABLE with the provider's answer as its cause. */
export async function redeemCode(document: ProviderDocument, answer: CodeAnswer): Promise<Redeemed> {
  const { credentials } = answer;
  const parameters = readCallback(document, answer);
  const listed = document.token_endpoint_auth_methods_supported;
  const methods = credentials.clientSecret === null ? [null] : clientAuthMethods(credentials, listed);
  let refusal: QfError | undefined;
  for (const method of methods) {
    try {
      const response = await askForTokens(document, answer, { parameters, method });
      return { ...(await readTokens(response)), clientAuth: method };
    } catch (error) {
      if (!isInvalidClient(error)) throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? noClientAuth(listed ?? []);
}

function readCallback(
  document: ProviderDocument,
  { credentials, callback, state }: CodeAnswer,
): URLSearchParams {
  try {
    const client = { client_id: credentials.clientId };
    const parameters = oauth.validateAuthResponse(serverOf(document), client, callback, state);
    if ((parameters.get("code") ?? "") === "") throw new Error('response parameter "code" missing');
    return parameters;
  } catch (cause) {
    if (cause instanceof oauth.AuthorizationResponseError) {
      const answer = { error: cause.error, description: cause.error_description };
      throw providerRefused(new ProviderRefusal("authorization", answer));
    }
    throw new QfError(
      "ERR_LOGIN_FAILED",
      "the identity provider sent the browser back without a valid answer",
      {
        hint: cause instanceof Error ? cause.message : "start again",
        cause,
      },
    );
  }
}

function serverOf(document: ProviderDocument): oauth.AuthorizationServer {
  const { issuer, token_endpoint, authorization_response_iss_parameter_supported: hasIss = false } = document;
  return { issuer, token_endpoint, authorization_response_iss_parameter_supported: hasIss };
}

function askForTokens(
  document: ProviderDocument,
  { credentials, redirectUri, verifier, fetch: doFetch }: CodeAnswer,
  { parameters, method }: { parameters: URLSearchParams; method: ClientAuthMethod | null },
): Promise<Response> {
  return oauth.authorizationCodeGrantRequest(
    serverOf(document),
    { client_id: credentials.clientId },
    method === null ? oauth.None() : clientAuthentication(credentials.clientSecret, method),
    parameters,
    redirectUri,
    verifier,
    {
      [oauth.customFetch]: (url: string, init: unknown) => doFetch(url, init as RequestInit),
      // The document was checked: https, or a loopback address.
      [oauth.allowInsecureRequests]: isSafeUrl(document.token_endpoint),
    },
  );
}

async function readTokens(response: Response): Promise<Pick<Redeemed, "idToken" | "accessToken">> {
  const value = parseJson(await response.text());
  if (!response.ok) throw tokenEndpointFailure(response.status, value);
  const tokens = TokenAnswer.safeParse(value);
  if (!tokens.success) {
    throw new QfError("ERR_LOGIN_FAILED", "the identity provider gave no ID token", {
      hint: "its client must be one of OpenID Connect, with the scope openid",
    });
  }
  const { id_token: idToken, access_token: accessToken = null } = tokens.data;
  if (idToken.length > ID_TOKEN_BYTES_MAX) {
    throw new QfError(
      "ERR_LOGIN_FAILED",
      `the identity provider's token has ${idToken.length} characters, and ${ID_TOKEN_BYTES_MAX} fit`,
      { hint: "have it put fewer groups into the ID token, or all of them into UserInfo instead" },
    );
  }
  return { idToken, accessToken };
}

function tokenEndpointFailure(status: number, value: unknown): QfError {
  const answer = ProviderErrorAnswer.safeParse(value);
  if (answer.success) {
    const { error, error_description: description } = answer.data;
    return providerRefused(new ProviderRefusal("token", { error, description }));
  }
  if (status === 401) {
    return providerRefused(new ProviderRefusal("token", { error: "invalid_client", description: undefined }));
  }
  return new QfError(
    status >= 500 ? "ERR_UNAVAILABLE" : "ERR_LOGIN_FAILED",
    `the identity provider's token endpoint answered with HTTP status ${status}`,
    { hint: "try again; if it stays so, look at the provider's log" },
  );
}

function isInvalidClient(error: unknown): error is QfError {
  return (
    isQfError(error) &&
    error.cause instanceof ProviderRefusal &&
    error.cause.endpoint === "token" &&
    error.cause.error === "invalid_client"
  );
}

function noClientAuth(listed: readonly string[]): QfError {
  return new QfError("ERR_LOGIN_FAILED", "the identity provider takes no client secret that we could give", {
    hint: `it lists ${shown(listed.join(", "))}; --oidc-client-auth of management chooses whatever is listed`,
  });
}
