/**
 * The credential for one connection: obtains a certificate for a target such as deploy@web1.
 *
 * @module
 */
import { nowSeconds } from "../base/clock.ts";
import { type Ed25519Key, signEd25519 } from "../base/ed25519.ts";
import { isQfError, QfError } from "../base/errors.ts";
import { readNote } from "../log/checkpoint.ts";
import type { AccessReason } from "../wire/access-reason.ts";
import { CertificateResponse, type LogSeen, type TargetInfo } from "../wire/client-api.ts";
import type { HelloCheckpoint } from "../wire/hello.ts";
import type { ReasonCode } from "../wire/reason.ts";
import { signedBytes } from "../wire/signed-fields.ts";
import { KnownPathsFile, PinnedLogsFile } from "../wire/state-file.ts";
import { LocalUser } from "../wire/units.ts";
import { ManagementAwayError } from "./client-api.ts";
import {
  type ClientSession,
  type ClientSessionOptions,
  type Login,
  openClientSession,
} from "./client-session.ts";
import { proofHash, type Scope } from "./device.ts";
import { askReason, givenReason } from "./give-reason.ts";
import { because, type OfflineCertificates, rememberTarget, signOffline } from "./offline-login.ts";
import { meetLog } from "./pinned-logs.ts";
import { processTerminal } from "./terminal.ts";

export interface CredentialOptions extends ClientSessionOptions {
  /** Peer id, name, full name or overlay address, as typed. */
  readonly target: string;
  /** The requested OS user. Empty: unknown. */
  readonly localUser: string;
  /** For use while management is away. Absent: no offline logins. */
  readonly offline?: () => Promise<OfflineCertificates>;
  /** `--reason`. Undefined: taken from the environment, `qf reason set` or the terminal. */
  readonly reason?: string | undefined;
  /** Whether the person may be asked for a reason. Default: the session's `interactive`. */
  readonly asksReason?: boolean;
  /**
   * Whether to request a missing approval and wait for it, at a terminal. Default: the session's
   * `interactive`.
   */
  readonly waitsForApproval?: boolean;
  /** Finds the OS user if `localUser` is unknown and an approval must name one. Undefined: still unknown. */
  readonly findLocalUser?: () => Promise<string | undefined>;
  /** Called once the certificate has been requested, for work that can be done until the answer. */
  readonly meanwhile?: () => void;
}

/** Everything a connection needs. The certificate is valid for two minutes. */
export interface Credential {
  readonly loginKey: Ed25519Key;
  readonly certificateBlob: Buffer;
  readonly target: TargetInfo;
  readonly deviceKey: Ed25519Key;
  readonly devicePeerId: string;
  readonly scope: Scope;
  /** Whether the login is cached and will be used again. */
  readonly isLoginKept: boolean;
  /** Management was away, so only the machine decides whether to accept this. */
  readonly isOffline: boolean;
  /** Checkpoint of the account's log, for a machine that accepts one. */
  readonly checkpoint?: HelloCheckpoint;
}

/** Denials that a new sign-in and device registration may resolve. */
const CURED_BY_LOGIN: readonly ReasonCode[] = [
  "token_too_old",
  "token_invalid",
  "login_revoked",
  "reauth_required",
  "device_unknown",
];
const isCuredByLogin = (reason: ReasonCode): boolean => CURED_BY_LOGIN.includes(reason);
const CURED_FAILURES = ["ERR_TOKEN_INVALID", "ERR_LOGIN_REQUIRED", "ERR_UNAUTHENTICATED"] as const;

/**
 * Signs in if needed and gets a certificate. Retries once with a new login when management no longer accepts
 * the cached one. While management is away a cached login may sign its own certificate. Throws
 * ERR_ACCESS_DENIED with the sentence of the denial.
 */
export async function obtainCertificate(options: CredentialOptions): Promise<Credential> {
  if (options.localUser !== "" && !LocalUser.safeParse(options.localUser).success) {
    throw new QfError("ERR_USAGE", `${JSON.stringify(options.localUser)} is not an OS user name`);
  }
  const session = await openClientSession({ ...options, wantsChallenge: true });
  const reason = await givenReason(session, options);
  const about: Wanted = { target: options.target, localUser: options.localUser, reason };
  const login = await session.login(about).catch((error: unknown) => {
    if (!(error instanceof ManagementAwayError) || options.offline === undefined) throw error;
    throw because(error, NO_LOGIN_KEPT);
  });
  let first: CertificateResponse | undefined;
  try {
    first = await mint(session, login, about, options.meanwhile);
  } catch (error) {
    const isAway = error instanceof ManagementAwayError && login.keptUntilSeconds !== null;
    if (isAway && options.offline !== undefined) {
      return offlineCredential(session, login, { ...about, away: error, load: options.offline });
    }
    if (login.isNew || !CURED_FAILURES.some((code) => isQfError(error, code))) throw error;
  }
  if (first !== undefined && (first.outcome === "issued" || login.isNew || !isCuredByLogin(first.reason))) {
    return settle(session, login, { first, about }, options);
  }
  const fresh = await replaceLogin(session, login, about);
  return settle(session, fresh, { first: await mint(session, fresh, about), about }, options);
}

/** What the person asked for, and why. */
interface Wanted {
  readonly target: string;
  readonly localUser: string;
  readonly reason: AccessReason | undefined;
}

/** Obtains a missing reason or approval, and asks management again after each. */
async function settle(
  session: ClientSession,
  login: Login,
  { first, about }: { readonly first: CertificateResponse; readonly about: Wanted },
  options: CredentialOptions,
): Promise<Credential> {
  const interactive = options.interactive ?? true;
  let wanted = about;
  let answer = first;
  if (lacks(answer, "reason_required") && about.reason === undefined && (options.asksReason ?? interactive)) {
    const reason = await askReason(options, about);
    if (reason === undefined) return issued(session, login, answer, options);
    wanted = { ...about, reason };
    answer = await mint(session, login, wanted);
  }
  const waits = (options.waitsForApproval ?? interactive) && (options.terminal ?? processTerminal).canAsk();
  if (waits && lacks(answer, "approval_required")) {
    const { awaitApproval } = await import("./await-approval.ts");
    if (await awaitApproval(session, login, { ...options, ...wanted, answer })) {
      answer = await mint(session, login, wanted);
    }
  }
  return issued(session, login, answer, options);
}

function lacks(answer: CertificateResponse, reason: ReasonCode): boolean {
  return answer.outcome === "denied" && answer.reason === reason;
}

/** Shown before an offline login is tried. */
export function offlineLine(target: string): string {
  return `qf: warning: management cannot be reached; asking ${target} to take the kept login without it`;
}

const NO_LOGIN_KEPT =
  "check the URL and that the server runs; a login kept with qf login --ssh-jwt-cache-ttl can do without";

/** Management's certificate, remembered for offline logins. Throws a denial. */
async function issued(
  session: ClientSession,
  login: Login,
  answer: CertificateResponse,
  { offline }: CredentialOptions,
): Promise<Credential> {
  const credential = credentialOf(session, login, answer);
  if (answer.outcome === "issued" && answer.log !== undefined) {
    await meetLog(session.folder.path, answer.log);
  }
  if (offline !== undefined) await rememberTarget(session, login, credential, offline);
  return credential;
}

async function offlineCredential(
  session: ClientSession,
  login: Login,
  how: {
    readonly target: string;
    readonly away: ManagementAwayError;
    readonly load: () => Promise<OfflineCertificates>;
    readonly reason: AccessReason | undefined;
  },
): Promise<Credential> {
  const signed = await signOffline(session, login, how);
  return { ...commonOf(session, login), ...signed, isOffline: true };
}

/** A login other than `old`: one that another process has made since, otherwise a new one. */
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
  about: Wanted,
  meanwhile?: () => void,
): Promise<CertificateResponse> {
  const { challenge } = await session.takeChallenge(login);
  const timeSeconds = nowSeconds(session.clock);
  const target = about.target.toLowerCase();
  const accessReason = about.reason === undefined ? {} : { accessReason: about.reason };
  const bytes = signedBytes("mint", login.scope, {
    challenge,
    loginKey: login.loginKey.publicKey,
    devicePeerId: login.devicePeerId,
    proofHash: proofHash(login.proof),
    target,
    localUser: about.localUser,
    ...accessReason,
    timeSeconds,
  });
  const answer = session.api.certificate({
    challenge,
    timeSeconds,
    loginKey: login.loginKey.publicKey,
    devicePeerId: login.devicePeerId,
    proof: login.proof,
    target,
    localUser: about.localUser,
    ...accessReason,
    loginSignature: signEd25519(login.loginKey, bytes),
    deviceSignature: signEd25519(session.deviceKey, bytes),
  });
  buildShapes();
  meanwhile?.();
  return answer;
}

/** Builds the schemas of the answer, and of the files that are read next, while management works on it. */
function buildShapes(): void {
  for (const shape of [CertificateResponse, PinnedLogsFile, KnownPathsFile]) shape.safeParse(undefined);
}

function credentialOf(session: ClientSession, login: Login, answer: CertificateResponse): Credential {
  if (answer.outcome === "denied") {
    const { sentence, hint, receipt } = answer;
    throw new QfError("ERR_ACCESS_DENIED", sentence, {
      hint: `${hint === undefined ? "" : `${hint}; `}receipt ${receipt}`,
    });
  }
  return {
    ...commonOf(session, login),
    certificateBlob: Buffer.from(answer.certificate, "base64"),
    target: answer.target,
    isOffline: false,
    ...carried(answer.log),
  };
}

/** The part of the note that goes into the hello; the machine knows the rest. */
function carried(log: LogSeen | undefined): { readonly checkpoint?: HelloCheckpoint } {
  const note = log?.inHello === true ? readNote(log.note) : undefined;
  const signed = note?.signatures.find(({ name, bytes }) => name === log?.origin && bytes.length === 64);
  if (note === undefined || signed === undefined) return {};
  const root = Buffer.from(note.root).toString("base64");
  return { checkpoint: { size: note.size, root, signature: signed.bytes.toString("base64url") } };
}

function commonOf(session: ClientSession, login: Login) {
  return {
    loginKey: login.loginKey,
    deviceKey: session.deviceKey,
    devicePeerId: login.devicePeerId,
    scope: login.scope,
    isLoginKept: login.keptUntilSeconds !== null,
  };
}
