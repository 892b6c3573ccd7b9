/**
 * Sign-in while management is away: a cached login signs its own certificate, for a machine that this person
 * has reached with it before. The machine decides whether to accept it (`--allow-offline-logins`).
 *
 * Used only when management cannot be reached, never when it refuses.
 *
 * @module
 */
import { nowSeconds } from "../base/clock.ts";
import type { Ed25519Key } from "../base/ed25519.ts";
import { QfError } from "../base/errors.ts";
import type { AccessReason } from "../wire/access-reason.ts";
import type { CertificateIdentity } from "../wire/certificate.ts";
import type { TargetInfo } from "../wire/client-api.ts";
import type { ClientSession, Login } from "./client-session.ts";
import type { Scope } from "./device.ts";
import { openKnownTargets } from "./known-targets.ts";

/**
 * Functions of `certificate/offline.ts` and `certificate/parse.ts`, injected by a role that may import them.
 */
export interface OfflineCertificates {
  /** Parses a certificate from management. Throws when it is malformed. */
  parse(blob: Uint8Array): { readonly identity: CertificateIdentity; readonly idToken: string | null };
  sign(order: {
    readonly scope: Scope;
    readonly loginKey: Ed25519Key;
    readonly deviceKey: Ed25519Key;
    readonly targetPeerId: string;
    readonly identity: CertificateIdentity;
    readonly idToken: string;
    readonly nowSeconds: number;
  }): Buffer;
}

/** Loaded on demand: a connection with nothing new to remember does not need it. */
type Load = () => Promise<OfflineCertificates>;

/**
 * Remembers the machine for which management has just issued `certificateBlob`. Skipped for a login that is
 * not cached, and if the account keeps ID tokens from machines.
 */
export async function rememberTarget(
  session: ClientSession,
  login: Login,
  issued: { readonly target: TargetInfo; readonly certificateBlob: Buffer },
  load: Load,
): Promise<void> {
  if (login.keptUntilSeconds === null || login.proof.kind !== "id_token") return;
  if (issued.certificateBlob.length === 0) return;
  const known = openKnownTargets(session.folder.path);
  const news = {
    origin: session.api.origin,
    loginId: login.loginId,
    target: issued.target,
    atSeconds: nowSeconds(session.clock),
  };
  if (!(await known.isNews(news))) return;
  const { identity, idToken } = (await load()).parse(issued.certificateBlob);
  if (idToken !== login.proof.idToken || identity.binding !== "idp") return;
  // A reason applies to one access only.
  const { accessReason: _, ...lasting } = identity;
  await known.remember({ ...news, identity: lasting });
}

export interface OfflineWish {
  readonly target: string;
  readonly away: QfError;
  readonly load: Load;
  /** The reason for the access. Undefined: none. */
  readonly reason: AccessReason | undefined;
}

/**
 * A certificate signed by `login` itself for the machine `target`. Throws `away`, with a hint about what is
 * missing.
 */
export async function signOffline(
  session: ClientSession,
  login: Login,
  { target, away, load, reason }: OfflineWish,
): Promise<{ readonly target: TargetInfo; readonly certificateBlob: Buffer }> {
  const { proof } = login;
  if (proof.kind !== "id_token") {
    throw because(away, "this login is one that only management can vouch for: wait until it is back");
  }
  const at = nowSeconds(session.clock);
  const known = openKnownTargets(session.folder.path);
  const entry = await known.find(session.api.origin, target.toLowerCase(), at);
  if (entry === undefined || entry.loginId !== login.loginId) {
    throw because(away, "this login has not reached that machine before, as an offline login must have");
  }
  if (entry.target.direct.length === 0) {
    throw because(away, `${entry.target.name} has no address at which it is reached without management`);
  }
  const certificateBlob = (await load()).sign({
    scope: login.scope,
    loginKey: login.loginKey,
    deviceKey: session.deviceKey,
    targetPeerId: entry.target.peerId,
    identity: reason === undefined ? entry.identity : { ...entry.identity, accessReason: reason },
    idToken: proof.idToken,
    nowSeconds: at,
  });
  return { target: entry.target, certificateBlob };
}

/** `away` with a more specific hint. */
export function because(away: QfError, hint: string): QfError {
  return new QfError(away.code, away.message, { hint, cause: away });
}
