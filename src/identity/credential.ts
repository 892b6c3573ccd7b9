/**
 * From "I want to be deploy on web1" to a certificate for exactly that: the one way to a connection.
 *
 * @module
 */
import { nowSeconds } from "../base/clock.ts";
import { type Ed25519Key, signEd25519 } from "../base/ed25519.ts";
import { isQfError, QfError } from "../base/errors.ts";
import type { CertificateResponse, TargetInfo } from "../wire/client-api.ts";
import type { ReasonCode } from "../wire/decision.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import { LocalUser } from "../wire/units.ts";
import {
  type ClientSession,
  type ClientSessionOptions,
  type Login,
  openClientSession,
} from "./client-session.ts";
import { proofHash, type Scope } from "./device.ts";

export interface CredentialOptions extends ClientSessionOptions {
  /** Peer id, name, full name or overlay address, as typed. */
  readonly target: string;
  /** The OS user asked for. Empty: unknown. */
  readonly localUser: string;
}

/** All that a connection needs; the certificate is good for two minutes. */
export interface Credential {
  readonly loginKey: Ed25519Key;
  readonly certificateBlob: Buffer;
  readonly target: TargetInfo;
  readonly deviceKey: Ed25519Key;
  readonly devicePeerId: string;
  readonly scope: Scope;
  /** Whether the login is kept here and will be used again. */
  readonly isLoginKept: boolean;
}

/** Denials that a new sign-in, with a new registration of the device, may turn. */
const CURED_BY_LOGIN: readonly ReasonCode[] = [
  "token_too_old",
  "token_invalid",
  "login_revoked",
  "reauth_required",
  "device_unknown",
];
const CURED_FAILURES = ["ERR_TOKEN_INVALID", "ERR_LOGIN_REQUIRED", "ERR_UNAUTHENTICATED"] as const;

/**
 * Signs in when needed and gets a certificate. Tries once more with a new login when management no
 * longer takes a kept one. Throws ERR_ACCESS_DENIED with the sentence of the denial.
 */
export async function obtainCertificate(options: CredentialOptions): Promise<Credential> {
  if (options.localUser !== "" && !LocalUser.safeParse(options.localUser).success) {
    throw new QfError("ERR_USAGE", `${JSON.stringify(options.localUser)} is not an OS user name`);
  }
  const session = await openClientSession(options);
  const about = { target: options.target, localUser: options.localUser };
  const login = await session.login(about);
  const first = await mint(session, login, about).catch((error: unknown) => {
    if (login.isNew || !CURED_FAILURES.some((code) => isQfError(error, code))) throw error;
    return undefined;
  });
  const isFinal = first?.outcome === "issued" || login.isNew;
  if (first !== undefined && (isFinal || !CURED_BY_LOGIN.includes(first.reason))) {
    return credentialOf(session, login, first);
  }
  const fresh = await replaceLogin(session, login, about);
  return credentialOf(session, fresh, await mint(session, fresh, about));
}

/** A login other than `old`: what another process has made since, else a new one. */
async function replaceLogin(
  session: ClientSession,
  old: Login,
  about: { readonly target: string; readonly localUser: string },
): Promise<Login> {
  const kept = await session.cachedLogin();
  if (kept !== undefined && kept.loginKey.publicKey !== old.loginKey.publicKey) return kept;
  await session.cache.remove(session.api.origin);
  return session.login({ ...about, fresh: true });
}

async function mint(
  session: ClientSession,
  login: Login,
  about: { readonly target: string; readonly localUser: string },
): Promise<CertificateResponse> {
  const { challenge } = await session.api.challenge();
  const timeSeconds = nowSeconds(session.clock);
  const target = about.target.toLowerCase();
  const bytes = signedBytes("mint", login.scope, {
    challenge,
    loginKey: login.loginKey.publicKey,
    devicePeerId: login.devicePeerId,
    proofHash: proofHash(login.proof),
    target,
    localUser: about.localUser,
    timeSeconds,
  });
  return session.api.certificate({
    challenge,
    timeSeconds,
    loginKey: login.loginKey.publicKey,
    devicePeerId: login.devicePeerId,
    proof: login.proof,
    target,
    localUser: about.localUser,
    loginSignature: signEd25519(login.loginKey, bytes),
    deviceSignature: signEd25519(session.deviceKey, bytes),
  });
}

function credentialOf(session: ClientSession, login: Login, answer: CertificateResponse): Credential {
  if (answer.outcome === "denied") {
    const { sentence, hint, receipt } = answer;
    throw new QfError("ERR_ACCESS_DENIED", sentence, {
      hint: `${hint === undefined ? "" : `${hint}; `}receipt ${receipt}`,
    });
  }
  return {
    loginKey: login.loginKey,
    certificateBlob: Buffer.from(answer.certificate, "base64"),
    target: answer.target,
    deviceKey: session.deviceKey,
    devicePeerId: login.devicePeerId,
    scope: login.scope,
    isLoginKept: login.keptUntilSeconds !== null,
  };
}
