/**
 * Access to the REST API: how API tokens and dashboard sessions prove people, and which roles may call which
 * routes.
 *
 * An ID token is never accepted here, whichever provider signed it. A session's cookie counts only on a
 * request of one of our pages (`session-cookie.ts`).
 *
 * @module
 */

import { nowSeconds } from "../../../base/clock.ts";
import { QfError } from "../../../base/errors.ts";
import { isEqualSecret } from "../../../base/random.ts";
import type { Role } from "../../../wire/admin-api.ts";
import { CLOCK_SKEW_SECONDS } from "../../../wire/certificate.ts";
import { API_TOKEN_PREFIX, kindOfSecret, nameOfSecret } from "../../../wire/secret-kind.ts";
import type { Reader, Writer } from "../../db/engine/transaction.ts";
import type { Store } from "../../db/store.ts";
import { findByToken, findToken, hashToken, markTokenUsed } from "../../db/tables/api-tokens.ts";
import { findLogin } from "../../db/tables/logins.ts";
import { findPeer } from "../../db/tables/peers.ts";
import { findUser, type UserRow } from "../../db/tables/users.ts";
import {
  findWebSession,
  hashWebSession,
  markWebSessionSeen,
  takeConfirmation,
} from "../../db/tables/web-sessions.ts";
import { type CredentialSource, sessionSecretOf } from "../session-cookie.ts";

/**
 * owner: owners only. write: owners and admins. read: those, network admins and auditors. self: everyone
 * signed in; the route limits those who may not read to their own things.
 */
export type Access = "owner" | "write" | "read" | "self";

const ROLES_OF: Readonly<Record<Access, readonly Role[]>> = {
  owner: ["owner"],
  write: ["owner", "admin"],
  // In NetBird, network_admin changes groups and policies, and so could grant itself any access. Here it only
  // reads.
  read: ["owner", "admin", "network_admin", "auditor"],
  self: ["owner", "admin", "network_admin", "auditor", "billing_admin", "user"],
};

/** The caller's proof: an API token or a dashboard session. */
export interface Credential {
  readonly kind: "token" | "session";
  readonly id: string;
}

/** The proven caller. */
export interface Principal {
  readonly user: UserRow;
  readonly credential: Credential;
}

/** `last_used` may be this stale: at most one write per minute for a busy token or session. */
const LAST_USED_SECONDS = 60;
const AUTHORIZATION = new RegExp(`^(?:token|bearer) +(${API_TOKEN_PREFIX}[A-Za-z0-9_-]{43})$`, "i");

/**
 * Proves the caller by `Authorization: Token …` or `Bearer …`. Without that header, by the cookie of a
 * dashboard session on a request of our own pages.
 *
 * Throws ERR_UNAUTHENTICATED, the same for every reason, or ERR_FORBIDDEN for a blocked user.
 */
export async function authenticate(store: Store, request: CredentialSource): Promise<Principal> {
  const authorization = request.header("authorization");
  if (authorization === undefined) {
    const secret = sessionSecretOf(request);
    if (secret !== null) return bySession(store, secret);
  }
  return byToken(store, authorization ?? "");
}

async function byToken(store: Store, authorization: string): Promise<Principal> {
  const token = AUTHORIZATION.exec(authorization)?.[1];
  const found = token === undefined ? undefined : await store.read((tx) => findByToken(tx, token));
  // The row is found by its digest, so a secret is never compared directly. This comparison is constant-time
  // all the same.
  if (token === undefined || found === undefined || !isEqualSecret(found.token.hash, hashToken(token))) {
    throw new QfError("ERR_UNAUTHENTICATED", "a valid API token is needed", { hint: hintFor(authorization) });
  }
  if (found.token.scope === "ssh") {
    throw new QfError("ERR_UNAUTHENTICATED", "this token does not open the API");
  }
  requireActive(found.user);
  await store.read((tx) => requireLiveLogin(tx, found.token.loginId));
  const { lastUsedAt, id } = found.token;
  const now = await store.read(async (tx) => nowSeconds(tx.clock));
  if (now - (lastUsedAt ?? 0) >= LAST_USED_SECONDS) await store.transaction((tx) => markTokenUsed(tx, id));
  return { user: found.user, credential: { kind: "token", id } };
}

async function bySession(store: Store, secret: string): Promise<Principal> {
  const { found, now } = await store.read(async (tx) => ({
    found: await findWebSession(tx, { secret }),
    now: nowSeconds(tx.clock),
  }));
  if (found === undefined || !isEqualSecret(found.session.hash, hashWebSession(secret))) {
    throw sessionOver();
  }
  const { user, session } = found;
  requireActive(user);
  const { id, lastSeenAt } = session;
  if (now - lastSeenAt >= LAST_USED_SECONDS) await store.transaction((tx) => markWebSessionSeen(tx, id));
  return { user, credential: { kind: "session", id } };
}

function sessionOver(): QfError {
  return new QfError("ERR_UNAUTHENTICATED", "your session is over", { hint: "sign in again" });
}

/** A hint that names the kind of secret sent instead of a token, told by its prefix alone. */
function hintFor(authorization: string): string {
  const kind = kindOfSecret(/^(?:token|bearer) +(\S+)$/i.exec(authorization)?.[1] ?? "");
  if (kind === "ssh_token" || kind === "setup_key") {
    return `what was sent is ${nameOfSecret(kind)}: send a token of scope api`;
  }
  return `send Authorization: Token ${API_TOKEN_PREFIX}…; it may have expired or been deleted`;
}

/** Throws ERR_FORBIDDEN unless `role` may call a route with this access. */
export function requireRole(role: Role, access: Access): void {
  if (ROLES_OF[access].includes(role)) return;
  throw new QfError("ERR_FORBIDDEN", `the role ${role} may not do this`, {
    hint: `it takes ${ROLES_OF[access].join(" or ")}`,
  });
}

export function mayCall(role: Role, access: Access): boolean {
  return ROLES_OF[access].includes(role);
}

/**
 * Checks the caller again inside the transaction that writes, since an earlier one may have changed what was
 * true when the request arrived. Returns the caller's current row.
 */
export async function recheck(tx: Reader, principal: Principal, access: Access): Promise<UserRow> {
  const { accountId, id } = principal.user;
  const user = await findUser(tx, accountId, id);
  await requireLiveCredential(tx, principal);
  if (user === undefined) throw new QfError("ERR_UNAUTHENTICATED", "a valid API token is needed");
  requireActive(user);
  requireRole(user.role, access);
  return user;
}

async function requireLiveCredential(tx: Reader, { user, credential }: Principal): Promise<void> {
  if (credential.kind === "session") {
    const found = await findWebSession(tx, { id: credential.id });
    if (found?.user.id !== user.id) throw sessionOver();
    return;
  }
  const token = await findToken(tx, user.accountId, user.id, credential.id);
  if (token === undefined || token.expiresAt <= nowSeconds(tx.clock)) {
    throw new QfError("ERR_UNAUTHENTICATED", "a valid API token is needed");
  }
  await requireLiveLogin(tx, token.loginId);
}

/** A token of a login is valid only while the login is live and its device active. */
async function requireLiveLogin(tx: Reader, loginId: string | null): Promise<void> {
  if (loginId === null) return;
  const login = await findLogin(tx, loginId);
  const device =
    login === undefined || login.devicePeerId === null
      ? undefined
      : await findPeer(tx, login.accountId, login.devicePeerId);
  const isLive = login !== undefined && login.revokedAt === null && login.until > nowSeconds(tx.clock);
  if (isLive && device?.status === "active") return;
  throw new QfError("ERR_UNAUTHENTICATED", "this login was ended", { hint: "sign in again with qf login" });
}

/**
 * When the caller signed in, as the provider says; null if it does not say. Throws ERR_FORBIDDEN for a named
 * API token, which no person signed in for.
 */
async function signedInAt(tx: Reader, { user, credential }: Principal): Promise<number | null> {
  if (credential.kind === "session") {
    return (await findWebSession(tx, { id: credential.id }))?.session.authTime ?? null;
  }
  const token = await findToken(tx, user.accountId, user.id, credential.id);
  if (token === undefined || token.loginId === null) {
    throw new QfError("ERR_FORBIDDEN", "an API token does not do this: it takes a person who signs in", {
      hint: "sign in to the dashboard, or leave QF_TOKEN and QF_TOKEN_FILE unset",
    });
  }
  return (await findLogin(tx, token.loginId))?.authTime ?? null;
}

/** Throws ERR_REAUTH_REQUIRED unless the caller signed in within the last `seconds`. */
export async function requireRecentSignIn(tx: Reader, principal: Principal, seconds: number): Promise<void> {
  const at = await signedInAt(tx, principal);
  const now = nowSeconds(tx.clock);
  if (at !== null && now < at + seconds && at <= now + CLOCK_SKEW_SECONDS) return;
  throw reauthRequired();
}

function reauthRequired(): QfError {
  return new QfError("ERR_REAUTH_REQUIRED", "this takes a fresh sign-in", { hint: "sign in again" });
}

/** How recent the sign-in must be for a change that could give a stolen session or token lasting access. */
const REAUTH_SECONDS = 120;

/**
 * Throws ERR_REAUTH_REQUIRED for a session, or a token of `qf login`, whose sign-in is older than two
 * minutes, and ERR_FORBIDDEN for a named API token without scope `dangerous`. With a session, the person must
 * also have confirmed this very request, identified by its `digest`. A confirmation is valid once.
 */
export async function requireFreshSignIn(tx: Writer, principal: Principal, digest: string): Promise<void> {
  const { user, credential } = principal;
  if (credential.kind === "token") {
    const token = await findToken(tx, user.accountId, user.id, credential.id);
    if (token?.scope === "dangerous") return;
    if (token?.loginId === null) {
      throw new QfError("ERR_FORBIDDEN", "this takes a fresh sign-in, or a token of scope dangerous", {
        hint: "run qf login and leave QF_TOKEN and QF_TOKEN_FILE unset, or make such a token",
      });
    }
  }
  await requireRecentSignIn(tx, principal, REAUTH_SECONDS);
  if (credential.kind === "session" && !(await takeConfirmation(tx, credential.id, digest))) {
    throw reauthRequired();
  }
}

function requireActive(user: UserRow): void {
  if (user.isBlocked) throw new QfError("ERR_FORBIDDEN", "this user is blocked");
  if (user.pendingApproval) throw new QfError("ERR_FORBIDDEN", "this user waits for approval");
}

/**
 * The refusal for what does not exist and for what the caller may not know of. NetBird's clients look for
 * these words.
 */
export function notFound(what: string): QfError {
  return new QfError("ERR_NOT_FOUND", `${what} not found`);
}
