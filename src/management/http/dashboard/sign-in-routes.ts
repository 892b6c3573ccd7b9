/**
 * Signing in to the dashboard: `/login/dashboard`, and the callback from the provider.
 *
 * Authorization code flow with PKCE under the web client's id. The nonce is random, so the token is of no use
 * for a login of `qf`, and no login is made from it: the only result is a session of our pages. A cookie
 * identifies the browser; state, nonce and PKCE verifier are digests of its secret.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { nowSeconds } from "../../../base/clock.ts";
import { sshBlobOfEd25519 } from "../../../base/ed25519.ts";
import { FAILURES, isQfError, QfError } from "../../../base/errors.ts";
import { messagePage, pageHeaders } from "../../../base/html.ts";
import { isEqualSecret, newId, newSecret, sha256 } from "../../../base/random.ts";
import { failureDetails } from "../../../identity/provider-failure.ts";
import { CLOCK_SKEW_SECONDS } from "../../../wire/certificate.ts";
import { DASHBOARD_SIGN_IN_PATH } from "../../../wire/web-session.ts";
import { filled } from "../../contracts/settings.ts";
import type { UserRow } from "../../db/tables/users.ts";
import {
  confirmAsked,
  deleteWebSession,
  findWebSession,
  hashWebSession,
  insertWebSession,
  listWebSessions,
  renewWebSession,
  WEB_SESSION_SECONDS,
} from "../../db/tables/web-sessions.ts";
import { HOSTED_CALLBACK_PATH } from "../../idp/provider.ts";
import type { RelyingParty } from "../../idp/relying-party.ts";
import { currentAccount, type LoginDeps } from "../../login/deps.ts";
import { checkMaySignIn, initiatorOf } from "../../login/person.ts";
import { personOf, readProof } from "../../login/prove.ts";
import type { ConfirmFacts } from "../admin/confirmation.ts";
import { formOf } from "../form.ts";
import { secretOfCookie, sessionCookie } from "../session-cookie.ts";
import { confirmedPage, confirmPage, isConfirmProof } from "./confirm-page.ts";
import { requireNavigation } from "./navigation.ts";
import { returnPath } from "./return-path.ts";

/** Prefix of the OAuth state, which tells this callback from those of other sign-ins. */
export const DASHBOARD_STATE_PREFIX = "dashboard.";
const COOKIE = "qf_dashboard";
const COOKIE_SECONDS = 600;
/** Sessions of one person; a further one ends the oldest. */
const SESSIONS_MAX = 20;
const BROWSER_CHARS_MAX = 256;
const DIGEST = /^[A-Za-z0-9_-]{43}$/;

export interface DashboardSignInDeps {
  readonly login: LoginDeps;
  readonly relyingParty: RelyingParty;
}

export function createDashboardSignIn(deps: DashboardSignInDeps) {
  return new Hono<{ Bindings: { readonly sourceAddress: string } }>()
    .get(DASHBOARD_SIGN_IN_PATH, async (c) => {
      requireNavigation(c.req.raw);
      return c.redirect(await toProvider(deps, c), 303);
    })
    .get(HOSTED_CALLBACK_PATH, async (c) => {
      const { user, to, authTime, confirm } = await fromProvider(deps, c);
      const { secret, facts } = await openSession(deps, user, {
        authTime,
        confirm,
        before: secretOfCookie(c.req.header("cookie")),
        sourceAddress: c.env.sourceAddress,
        browser: (c.req.header("user-agent") ?? "").slice(0, BROWSER_CHARS_MAX),
      });
      c.header("Set-Cookie", sessionCookie(secret, WEB_SESSION_SECONDS), { append: true });
      if (facts === null) return c.redirect(to, 303);
      return c.body(confirmPage(secret, confirm, facts), 200, pageHeaders());
    })
    .post(DASHBOARD_SIGN_IN_PATH, async (c) => {
      await confirm(deps, c);
      return c.body(confirmedPage(), 200, pageHeaders());
    })
    .onError((error, c) => failurePage(c, deps, error));
}

async function toProvider({ login, relyingParty }: DashboardSignInDeps, c: Context): Promise<string> {
  const { ctx } = login;
  const account = await currentAccount(ctx);
  const secret = newSecret("");
  const to = returnPath(c.req.query("to"));
  const confirm = DIGEST.exec(c.req.query("confirm") ?? "")?.[0] ?? "";
  const fresh = c.req.query("fresh") === "1" || confirm !== "";
  const since = fresh ? String(nowSeconds(ctx.clock)) : "";
  setCookie(c, COOKIE, `${secret}.${Buffer.from(to).toString("base64url")}.${since}.${confirm}`, {
    path: "/login",
    httpOnly: true,
    sameSite: "Lax",
    secure: ctx.origin.startsWith("https:"),
    maxAge: COOKIE_SECONDS,
  });
  return relyingParty.authorizationUrl({
    redirectUri: ctx.origin + HOSTED_CALLBACK_PATH,
    state: stateOf(secret),
    nonce: sha256(sshBlobOfEd25519(nonceKeyOf(secret))),
    verifier: sha256(`qufabric/dashboard/pkce/${secret}`),
    fresh,
    promptLogin: filled(account.settings).prompt_login,
  });
}

interface CameBack {
  readonly user: UserRow;
  readonly to: string;
  readonly authTime: number | null;
  /** Digest of the request that the sign-in is to confirm. Empty: none. */
  readonly confirm: string;
}

async function fromProvider({ login, relyingParty }: DashboardSignInDeps, c: Context): Promise<CameBack> {
  const { ctx } = login;
  const [secret = "", to = "", since = "", confirm = ""] = (getCookie(c, COOKIE) ?? "").split(".", 4);
  const state = c.req.query("state") ?? "";
  if (secret === "" || !isEqualSecret(state, stateOf(secret))) {
    throw new QfError("ERR_FORBIDDEN", "this sign-in was started in another browser", {
      hint: "start again from the first page",
    });
  }
  // Cleared whatever the outcome: each sign-in has one callback.
  setCookie(c, COOKIE, "", { path: "/login", maxAge: 0 });
  const seen = new URL(c.req.url);
  const tokens = await relyingParty.redeem({
    callback: new URL(seen.pathname + seen.search, ctx.origin),
    redirectUri: ctx.origin + HOSTED_CALLBACK_PATH,
    state,
    verifier: sha256(`qufabric/dashboard/pkce/${secret}`),
  });
  const account = await currentAccount(ctx);
  const proof = await readProof(login, account, {
    proof: { kind: "id_token", idToken: tokens.idToken },
    loginKey: nonceKeyOf(secret),
    when: "first",
    accessToken: tokens.accessToken,
  });
  if (proof.kind !== "id_token" || proof.verified.binding !== "idp") {
    throw new QfError("ERR_LOGIN_FAILED", "the identity provider answered another sign-in");
  }
  const user = await personOf(login, account, proof);
  if (user === null) throw new QfError("ERR_LOGIN_FAILED", "the identity provider names nobody");
  checkMaySignIn(user);
  const authTime = proof.verified.claims.authTimeSeconds;
  if (since !== "") requireFresh(authTime, Number(since));
  return { user, to: returnPath(Buffer.from(to, "base64url").toString("utf8")), authTime, confirm };
}

/** The browser controls the cookie, so its `since` can only cause a refusal; routes check `authTime`. */
function requireFresh(authTime: number | null, since: number): void {
  if (authTime !== null && authTime >= since - CLOCK_SKEW_SECONDS) return;
  const message =
    authTime === null
      ? "the identity provider does not say when you signed in"
      : "the identity provider did not ask you to sign in again";
  throw new QfError("ERR_LOGIN_FAILED", message, {
    hint: "an administrator can set prompt_login, or have the provider send auth_time",
  });
}

interface NewSession {
  readonly sourceAddress: string;
  readonly browser: string;
  readonly authTime: number | null;
  /** Secret of the browser's previous session. Null: none. */
  readonly before: string | null;
  /** Digest of the request to confirm, which the previous session was refused. Empty: none. */
  readonly confirm: string;
}

/** Returns the secret for the browser, and the facts of the request to confirm. */
async function openSession(
  { login }: DashboardSignInDeps,
  user: UserRow,
  { before, confirm, ...from }: NewSession,
): Promise<{ readonly secret: string; readonly facts: ConfirmFacts | null }> {
  const { store, clock } = login.ctx;
  const secret = newSecret("");
  const now = nowSeconds(clock);
  const { accountId, id: userId } = user;
  return store.change({ accountId, initiator: initiatorOf(user) }, async (tx) => {
    const old = before === null ? undefined : await findWebSession(tx, { secret: before });
    const session = {
      hash: hashWebSession(secret),
      ...from,
      createdAt: now,
      lastSeenAt: now,
      expiresAt: now + WEB_SESSION_SECONDS,
    };
    const meta = { source: from.sourceAddress };
    tx.record({ activity: "dashboard.login", targetId: userId, meta });
    if (confirm !== "") {
      const { id, facts } = askedOf(old, user, confirm);
      // The tab that asked continues under the new secret; the old secret is worthless.
      await renewWebSession(tx, id, session);
      return { secret, facts };
    }
    // Each sign-in makes a new session and ends the browser's previous one.
    if (old?.user.id === userId) await deleteWebSession(tx, userId, old.session.id);
    const older = await listWebSessions(tx, accountId, userId);
    for (const one of older.slice(0, Math.max(0, older.length - SESSIONS_MAX + 1))) {
      await deleteWebSession(tx, userId, one.id);
    }
    await insertWebSession(tx, { id: newId(), accountId, userId, ...session });
    return { secret, facts: null };
  });
}

/**
 * The request that the previous session was refused. Throws ERR_FORBIDDEN if it is a different request or
 * another person's.
 */
function askedOf(
  old: Awaited<ReturnType<typeof findWebSession>>,
  user: UserRow,
  digest: string,
): { readonly id: string; readonly facts: ConfirmFacts } {
  if (old?.user.id !== user.id || old.session.askedDigest !== digest) throw nothingToConfirm();
  return { id: old.session.id, facts: old.session.askedFacts ?? [] };
}

function nothingToConfirm(): QfError {
  return new QfError("ERR_FORBIDDEN", "nothing waits for this confirmation", {
    hint: "go back to the page where you were, and press the button again",
  });
}

/** Accepts the form of `confirmPage`. Throws ERR_FORBIDDEN for any other. */
async function confirm({ login }: DashboardSignInDeps, c: Context): Promise<void> {
  const { store, origin } = login.ctx;
  const form = await formOf(c.req.raw, origin);
  const [digest = "", proof = ""] = [form.get("digest"), form.get("proof")].map((one) => one ?? "");
  const secret = secretOfCookie(c.req.header("cookie"));
  if (secret === null || !isConfirmProof(secret, digest, proof)) throw nothingToConfirm();
  const isDone = await store.transaction(async (tx) => {
    const found = await findWebSession(tx, { secret });
    return found !== undefined && (await confirmAsked(tx, found.session.id, digest));
  });
  if (!isDone) throw nothingToConfirm();
}

/** Stands in for a login key; there is no private key for it. */
function nonceKeyOf(secret: string): string {
  return sha256(`qufabric/dashboard/nonce/${secret}`);
}

function stateOf(secret: string): string {
  return DASHBOARD_STATE_PREFIX + sha256(`qufabric/dashboard/state/${secret}`);
}

function failurePage(c: Context, { login }: DashboardSignInDeps, error: Error): Response {
  const known = isQfError(error) ? error : new QfError("ERR_INTERNAL", "something went wrong here");
  const status = FAILURES[known.code].httpStatus;
  if (status === 500) login.ctx.log.error("dashboard sign-in failed", {}, error);
  else login.ctx.log.info("dashboard sign-in refused", { message: known.message, ...failureDetails(error) });
  const message = `${known.message.slice(0, 1).toUpperCase()}${known.message.slice(1)}.`;
  return c.body(messagePage("Sign-in failed", message, known.hint), status, pageHeaders());
}
