/**
 * A token for the REST API from a person's login: asked for when a command needs one, and never kept on disk.
 *
 * @module
 */
import { nowSeconds } from "../base/clock.ts";
import { signEd25519 } from "../base/ed25519.ts";
import { isQfError } from "../base/errors.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import type { ClientSession, Login } from "./client-session.ts";
import { proofHash } from "./device.ts";

/** Refusals of a kept login that a new sign-in mends. */
const MENDED_BY_SIGN_IN = ["ERR_TOKEN_INVALID", "ERR_LOGIN_REQUIRED", "ERR_UNAUTHENTICATED"] as const;

/**
 * Signs in where no login is kept, and returns an API token, good for at most five minutes. A kept login that
 * management no longer takes is replaced once. Throws ERR_LOGIN_REQUIRED where nobody may be asked.
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

/** The same after a new sign-in, at which the provider asks again. Replaces a login that is kept. */
export async function obtainFreshApiToken(session: ClientSession): Promise<string> {
  await session.cache.remove(session.api.origin);
  return requestToken(session, await session.login({ fresh: true, asksAgain: true }));
}

/** A token from this very login. */
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
