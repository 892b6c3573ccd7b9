/**
 * Sign-in with this machine's browser: `qf` itself runs authorization code + PKCE against the provider, with
 * a redirect to a loopback listener.
 *
 * The nonce is the digest of the login key, so the ID token names the key and is useless without it.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../base/clock.ts";
import type { Ed25519Key } from "../base/ed25519.ts";
import { sshBlobOfEd25519 } from "../base/ed25519.ts";
import { isQfError, QfError } from "../base/errors.ts";
import { authorizationUrl, newState, newVerifier, type Redeemed, redeemCode } from "../identity/code-flow.ts";
import { fetchKeys } from "../identity/issuer-document.ts";
import { parseCompactJws } from "../identity/jws.ts";
import { fetchProviderDocument } from "../identity/provider-document.ts";
import { signInRefused } from "../identity/provider-failure.ts";
import { createStrictFetch } from "../identity/strict-fetch.ts";
import { tokenFault } from "../identity/token-fault.ts";
import { lacksClaims } from "../identity/user-info.ts";
import { type IdTokenVerdict, nonceOf, verifyIdToken } from "../identity/verify.ts";
import { ACCESS_TOKEN_LENGTH_MAX, type LoginProof } from "../wire/client-api.ts";
import type { ClientConfig } from "../wire/client-config.ts";
import type { ProviderDocument } from "../wire/identity-provider.ts";
import { openBrowser } from "./browser.ts";
import type { Environment } from "./client-folder.ts";
import { type Callback, openCallback } from "./loopback-listener.ts";
import type { Terminal } from "./terminal.ts";

/** How much older than this login the provider's sign-in may be when a fresh one was requested. */
const FRESH_TOLERANCE_SECONDS = 60;
/** The token was issued for this sign-in, which takes minutes. Management has its own cap. */
const TOKEN_AGE_SECONDS_MAX = 3_600;

export interface LoopbackLoginOptions {
  readonly oidc: ClientConfig["oidc"];
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly environment: Environment;
  readonly loginKey: Ed25519Key;
  /** Forces a fresh sign-in at the provider (TTL 0). */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  readonly fetch?: typeof fetch;
}

/** `nonce` of a login: it ties the ID token to the login key. */
export function loginNonce(loginKey: Ed25519Key): string {
  return nonceOf(sshBlobOfEd25519(loginKey.publicKey));
}

/** Signs in. Throws ERR_LOGIN_FAILED, ERR_UNAVAILABLE, ERR_TIMEOUT (by `signal`) or ERR_ADDRESS_IN_USE. */
export async function loopbackLogin(options: LoopbackLoginOptions): Promise<LoginProof> {
  const { oidc, terminal, signal } = options;
  const doFetch = boundFetch(options);
  const document = await discover(options, doFetch);
  const attempt = { state: newState(), verifier: newVerifier(), startedSeconds: nowSeconds(options.clock) };
  const callback = openCallback({
    port: oidc.redirectPort ?? 0,
    host: oidc.loopbackHost,
    state: attempt.state,
  });
  try {
    const url = await authorizationUrl(document, {
      ...attempt,
      clientId: oidc.clientId,
      redirectUri: callback.redirectUri,
      scope: oidc.scope,
      nonce: loginNonce(options.loginKey),
      fresh: options.fresh,
      promptLogin: oidc.promptLogin,
    });
    const page = callback.begin(url);
    terminal.say("Sign in with your browser. If it does not open, open this page on this machine:");
    terminal.say(page);
    openBrowser(page, options.environment);
    const answer = await callback.wait(signal);
    try {
      const proof = await finish(options, { ...attempt, document, doFetch, callback, url: answer.url });
      answer.succeed();
      return proof;
    } catch (error) {
      answer.fail();
      signal.throwIfAborted();
      throw error;
    }
  } finally {
    callback.close();
  }
}

interface Attempt {
  readonly document: ProviderDocument;
  readonly doFetch: typeof fetch;
  readonly state: string;
  readonly verifier: string;
  readonly startedSeconds: number;
  readonly callback: Callback;
  /** The URL with which the browser returned. */
  readonly url: URL;
}

async function discover(options: LoopbackLoginOptions, doFetch: typeof fetch): Promise<ProviderDocument> {
  try {
    return await fetchProviderDocument(options.oidc.issuer, doFetch);
  } catch (error) {
    options.signal.throwIfAborted();
    if (!isQfError(error)) throw error;
    const hint = `${error.hint ?? "check that it runs"}; or sign in with --no-browser`;
    throw new QfError(error.code, error.message, { hint, cause: error.cause });
  }
}

/** Redeems the code and checks the token as management will, so that errors show up here. */
async function finish(options: LoopbackLoginOptions, attempt: Attempt): Promise<LoginProof> {
  const { oidc } = options;
  const { document, doFetch, callback, url, state, verifier } = attempt;
  const redeemed = await redeemCode(document, {
    credentials: { clientId: oidc.clientId, clientSecret: null, clientAuth: null },
    callback: url,
    redirectUri: callback.redirectUri,
    state,
    verifier,
    fetch: doFetch,
  });
  // If the token does not parse, no key is fetched; the parse error is reported instead.
  const isReadable = parseCompactJws(redeemed.idToken) !== undefined;
  const keys = isReadable ? (await fetchKeys(document, doFetch)).map(({ jwk }) => jwk) : [];
  const verdict = await verifyIdToken({
    token: redeemed.idToken,
    issuers: [
      {
        issuer: oidc.issuer,
        audiences: [oidc.audience ?? oidc.clientId],
        clients: [oidc.clientId],
        // Management checks the claim that names the person.
        userIdClaim: "sub",
        keys,
      },
    ],
    nowSeconds: nowSeconds(options.clock),
    loginSecondsMax: TOKEN_AGE_SECONDS_MAX,
    loginKeyBlob: sshBlobOfEd25519(options.loginKey.publicKey),
    mode: "claiming",
  });
  if (!verdict.ok) throw signInRefused(verdict.fault);
  if (verdict.binding !== "idp") {
    throw signInRefused(tokenFault("nonce", loginNonce(options.loginKey), undefined));
  }
  checkFreshness(options, verdict.claims.authTimeSeconds, attempt.startedSeconds);
  return proofOf(options, { document, redeemed, payload: verdict.payload });
}

/** The access token is sent only if management needs it for UserInfo. */
function proofOf(
  { oidc }: LoopbackLoginOptions,
  told: {
    readonly document: ProviderDocument;
    readonly redeemed: Redeemed;
    readonly payload: Extract<IdTokenVerdict, { ok: true }>["payload"];
  },
): LoginProof {
  const { idToken, accessToken } = told.redeemed;
  const isAsked =
    told.document.userinfo_endpoint !== undefined && lacksClaims(told.payload, oidc.groupsClaim ?? null);
  const isSent = isAsked && accessToken !== null && accessToken.length <= ACCESS_TOKEN_LENGTH_MAX;
  return { kind: "id_token", idToken, ...(isSent ? { accessToken } : {}) };
}

/** If the provider reports when the person signed in, that must be now. */
function checkFreshness(options: LoopbackLoginOptions, at: number | null, startedSeconds: number): void {
  if (!options.fresh || at === null || at >= startedSeconds - FRESH_TOLERANCE_SECONDS) return;
  throw new QfError("ERR_LOGIN_FAILED", "the identity provider used an earlier sign-in", {
    hint: "sign out there and try again",
  });
}

/** A fetch bounded in time and size that ends with the login. */
function boundFetch(options: LoopbackLoginOptions): typeof fetch {
  const strict = createStrictFetch(options.fetch ?? fetch);
  const bound = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> =>
    strict(input, { ...init, signal: options.signal });
  return Object.assign(bound, { preconnect: () => {} });
}
