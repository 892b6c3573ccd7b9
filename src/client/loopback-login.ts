/**
 * Signing in with the browser on this machine: authorization code + PKCE, run by `qf` itself against the
 * provider, coming back to a listener on 127.0.0.1.
 *
 * The nonce is the digest of the login key, so the ID token names the key and is of no use without it.
 *
 * @module
 */
import * as oauth from "oauth4webapi";
import { type Clock, nowSeconds } from "../base/clock.ts";
import type { Ed25519Key } from "../base/ed25519.ts";
import { sshBlobOfEd25519 } from "../base/ed25519.ts";
import { QfError } from "../base/errors.ts";
import { sha256 } from "../base/random.ts";
import { isLoopbackHost } from "../identity/strict-fetch.ts";
import type { ClientConfig, LoginProof } from "../wire/client-api.ts";
import { openBrowser } from "./browser.ts";
import type { Environment } from "./client-folder.ts";
import { type Callback, openCallback } from "./loopback-listener.ts";
import type { Terminal } from "./terminal.ts";

/** How much older than this login the provider's own sign-in may be when a fresh one was asked for. */
const FRESH_TOLERANCE_SECONDS = 60;

export interface LoopbackLoginOptions {
  readonly oidc: ClientConfig["oidc"];
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly environment: Environment;
  readonly loginKey: Ed25519Key;
  /** Ask the provider to sign in anew (TTL 0). */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  readonly fetch?: typeof fetch;
}

/** `nonce` of a login: it ties the ID token to the login key. */
export function loginNonce(loginKey: Ed25519Key): string {
  return sha256(sshBlobOfEd25519(loginKey.publicKey));
}

/** Signs in. Throws ERR_LOGIN_FAILED, ERR_TIMEOUT (by `signal`) or ERR_ADDRESS_IN_USE. */
export async function loopbackLogin(options: LoopbackLoginOptions): Promise<LoginProof> {
  const provider = await discover(options);
  const state = oauth.generateRandomState();
  const verifier = oauth.generateRandomCodeVerifier();
  const startedSeconds = nowSeconds(options.clock);
  const callback = openCallback(options.oidc.redirectPort ?? 0, state);
  try {
    const url = await authorizationUrl(options, provider, { state, verifier, callback });
    options.terminal.say("Sign in with your browser. If it does not open, open this page on this machine:");
    options.terminal.say(url);
    openBrowser(url, options.environment);
    const answer = await callback.wait(options.signal);
    try {
      const idToken = await redeem(options, provider, { url: answer.url, state, verifier, callback });
      checkFreshness(options, idToken.claims, startedSeconds);
      answer.succeed();
      return { kind: "id_token", idToken: idToken.text };
    } catch (error) {
      answer.fail();
      throw error;
    }
  } finally {
    callback.close();
  }
}

interface Provider {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
}

interface Attempt {
  readonly state: string;
  readonly verifier: string;
  readonly callback: Callback;
}

async function discover(options: LoopbackLoginOptions): Promise<Provider> {
  const issuer = new URL(options.oidc.issuer);
  try {
    const response = await oauth.discoveryRequest(issuer, httpOptions(options));
    const server = await oauth.processDiscoveryResponse(issuer, response);
    // It is handed to whatever opens URLs here, which would start a program for any other scheme.
    if (!isWebPage(server.authorization_endpoint)) throw new Error("no authorization endpoint");
    return { server, client: { client_id: options.oidc.clientId } };
  } catch (cause) {
    options.signal.throwIfAborted();
    throw new QfError("ERR_UNAVAILABLE", `cannot reach the identity provider at ${options.oidc.issuer}`, {
      hint: "check that it runs and that this machine can reach it, or use --no-browser",
      cause,
    });
  }
}

async function authorizationUrl(
  options: LoopbackLoginOptions,
  { server }: Provider,
  { state, verifier, callback }: Attempt,
): Promise<string> {
  const url = new URL(server.authorization_endpoint ?? "");
  const parameters = {
    client_id: options.oidc.clientId,
    redirect_uri: callback.redirectUri,
    response_type: "code",
    scope: options.oidc.scope,
    state,
    nonce: loginNonce(options.loginKey),
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...(options.oidc.promptLogin ? { prompt: "login" } : {}),
    ...(options.fresh ? { max_age: "0" } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** Exchanges the code; signature, issuer, audience, times and nonce of the token are checked. */
async function redeem(
  options: LoopbackLoginOptions,
  { server, client }: Provider,
  attempt: Attempt & { readonly url: URL },
): Promise<{ text: string; claims: oauth.IDToken }> {
  try {
    const parameters = oauth.validateAuthResponse(server, client, attempt.url, attempt.state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      parameters,
      attempt.callback.redirectUri,
      attempt.verifier,
      httpOptions(options),
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: loginNonce(options.loginKey),
      requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(server, response, httpOptions(options));
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    if (tokens.id_token === undefined || claims === undefined) throw new Error("no ID token");
    return { text: tokens.id_token, claims };
  } catch (cause) {
    options.signal.throwIfAborted();
    throw loginFailure(cause);
  }
}

/** A provider that says when the person signed in must say that it was now. */
function checkFreshness(options: LoopbackLoginOptions, claims: oauth.IDToken, startedSeconds: number): void {
  const at = claims.auth_time;
  if (!options.fresh || at === undefined || at >= startedSeconds - FRESH_TOLERANCE_SECONDS) return;
  throw new QfError("ERR_LOGIN_FAILED", "the identity provider used an earlier sign-in", {
    hint: "sign out there and try again",
  });
}

function httpOptions(options: LoopbackLoginOptions) {
  const issuer = new URL(options.oidc.issuer);
  return {
    signal: options.signal,
    [oauth.customFetch]: (url: string, init: unknown) => (options.fetch ?? fetch)(url, init as RequestInit),
    // Without TLS only where nothing leaves this machine.
    [oauth.allowInsecureRequests]: issuer.protocol === "http:" && isLoopbackHost(issuer.hostname),
  };
}

function isWebPage(text: string | undefined): boolean {
  const url = URL.parse(text ?? "");
  return url?.protocol === "https:" || (url?.protocol === "http:" && isLoopbackHost(url.hostname));
}

function loginFailure(cause: unknown): QfError {
  if (cause instanceof oauth.AuthorizationResponseError) {
    if (cause.error === "temporarily_unavailable") {
      return new QfError("ERR_UNAVAILABLE", "the identity provider can sign nobody in at the moment", {
        hint: "ask its administrator to look at its log and its disk, and try again",
        cause,
      });
    }
    const isDenied = cause.error === "access_denied";
    return new QfError(
      "ERR_LOGIN_FAILED",
      isDenied ? "the sign-in was refused" : "the identity provider reported an error",
      { hint: isDenied ? "start again" : `its code is ${cause.error.slice(0, 64)}`, cause },
    );
  }
  return new QfError("ERR_LOGIN_FAILED", "the identity provider's answer cannot be accepted", {
    hint: "try again; with QF_DEBUG=1 qf says what is wrong with it",
    cause,
  });
}
