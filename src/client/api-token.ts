/**
 * REST API tokens from a person's login. A command requests one when needed; none is stored on disk.
 *
 * @module
 */
import { nowSeconds } from "../base/clock.ts";
import { signEd25519 } from "../base/ed25519.ts";
import { isQfError } from "../base/errors.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import type { ClientSession, Login } from "./client-session.ts";
import { proofHash } from "./device.ts";

/** Refusals of a cached login that a new sign-in resolves. */
const MENDED_BY_SIGN_IN = ["ERR_TOKEN_INVALID", "ERR_LOGIN_REQUIRED", "ERR_UNAUTHENTICATED"] as const;

/**
 * Returns an API token valid for at most five minutes, signing in if no login is cached. A cached login that
 * management no longer accepts is replaced once. Throws ERR_LOGIN_REQUIRED if the session is not interactive.
 */
export async function obtainApiToken(session: ClientSession): Promise<string> {
  const login = await session.login();
  try {
    return await requestToken(session, login);
  } catch (error) {
    if (login.isNew || !MENDED_BY_SIGN_IN.some((code) => isQfError(error, code))) throw error;
  }
  await session.cache.remove(session.api.origin);
  return requestToken(session, await session.login({ fresh: true }));
}

/** The same after a fresh sign-in at the provider. Replaces a cached login. */
export async function obtainFreshApiToken(session: ClientSession): Promise<string> {
  await session.cache.remove(session.api.origin);
  return requestToken(session, await session.login({ fresh: true, asksAgain: true }));
}

/** Requests a token from this login. */
export async function requestToken(session: ClientSession, login: Login): Promise<string> {
  const { challenge } = await session.api.challenge();
  const timeSeconds = nowSeconds(session.clock);
  const fields = {
    challenge,
    loginKey: login.loginKey.publicKey,
    devicePeerId: login.devicePeerId,
    proofHash: proofHash(login.proof),
    timeSeconds,
  };
  const bytes = signedBytes("api-token", login.scope, fields);
  const { token } = await session.api.apiToken({
    challenge,
    timeSeconds,
    loginKey: login.loginKey.publicKey,
    devicePeerId: login.devicePeerId,
    proof: login.proof,
    loginSignature: signEd25519(login.loginKey, bytes),
    deviceSignature: signEd25519(session.deviceKey, bytes),
  });
  return token;
}
