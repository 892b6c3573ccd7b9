/**
 * The one-time set-up link of a server without an account: `/setup/<secret>`.
 *
 * With the embedded provider, the owner chooses e-mail and password here. With an external one, the person
 * who opens the link and signs in there becomes the owner.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { FAILURES, isQfError, QfError } from "../../base/errors.ts";
import { html, messagePage, page, pageHeaders } from "../../base/html.ts";
import type { Log } from "../../base/log.ts";
import { isEqualSecret, sha256 } from "../../base/random.ts";
import { failureDetails } from "../../identity/provider-failure.ts";
import { shownName } from "../../wire/display-name.ts";
import { Email } from "../../wire/units.ts";
import { DASHBOARD_SIGN_IN_PATH } from "../../wire/web-session.ts";
import type { OidcSettings } from "../contracts/context.ts";
import type { NewOwner } from "../contracts/new-owner.ts";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../idp/passwords.ts";
import { HOSTED_CALLBACK_PATH } from "../idp/provider.ts";
import type { HostedTokens, RelyingParty } from "../idp/relying-party.ts";
import { formOf } from "./form.ts";

/** Prefix of the OAuth state, which tells this callback from that of a hosted sign-in. */
export const SETUP_STATE_PREFIX = "setup.";
/** The dashboard's first steps, shown after signing in. */
const FIRST_STEPS = `${DASHBOARD_SIGN_IN_PATH}?to=%2Fstart`;
const COOKIE = "qf_setup";
const COOKIE_SECONDS = 900;

/** The verified person who signed in at an external provider. */
export interface SetupIdentity {
  readonly subject: string;
  readonly email: string;
  readonly name: string;
}

export interface SetupRoutesDeps {
  readonly origin: string;
  readonly oidc: OidcSettings;
  readonly log: Log;
  readonly relyingParty: RelyingParty;
  /** Whether the link may still be used. */
  readonly isOpen: (linkHash: string) => Promise<boolean>;
  /** Uses up the link and creates the account, or does neither. Returns the owner's API token. */
  readonly complete: (linkHash: string, owner: NewOwner) => Promise<string>;
  readonly hashPassword: (password: string) => Promise<string>;
  /** Verifies tokens whose nonce must be the digest of `nonceBytes`. */
  readonly verify: (tokens: HostedTokens, nonceBytes: Uint8Array) => Promise<SetupIdentity>;
}

/** Digest under which a link's secret is stored. */
export function setupLinkHash(secret: string): string {
  return sha256(`qufabric/setup/${secret}`);
}

export function createSetupRoutes(deps: SetupRoutesDeps) {
  return new Hono()
    .get("/setup/:secret", async (c) => {
      await openLink(deps, c);
      return pageOf(c, deps, deps.oidc.embedded ? passwordPage() : providerPage(deps));
    })
    .post("/setup/:secret", async (c) => {
      const linkHash = await openLink(deps, c);
      const form = await formOf(c.req.raw, deps.origin);
      if (!deps.oidc.embedded) return c.redirect(await toProvider(deps, c), 303);
      const problem = problemOf(form);
      if (problem !== null) return c.body(passwordPage(problem), 422, pageHeaders());
      const passwordHash = await deps.hashPassword(form.get("password") ?? "");
      const token = await deps.complete(linkHash, { email: (form.get("email") ?? "").trim(), passwordHash });
      return donePage(c, token);
    })
    .get(HOSTED_CALLBACK_PATH, async (c) => donePage(c, await fromProvider(deps, c)))
    .onError((error, c) => failurePage(c, deps, error));
}

/** The link's digest. Throws ERR_NOT_FOUND for an unknown, used or expired link. */
async function openLink(deps: SetupRoutesDeps, c: Context): Promise<string> {
  const linkHash = setupLinkHash((c.req.param("secret") ?? "").slice(0, 128));
  if (!(await deps.isOpen(linkHash))) throw linkOver();
  return linkHash;
}

function problemOf(form: URLSearchParams): string | null {
  if (!Email.safeParse((form.get("email") ?? "").trim()).success) return "This is not an e-mail address.";
  const password = form.get("password") ?? "";
  if (password.length < PASSWORD_LENGTH_MIN)
    return `A password needs ${PASSWORD_LENGTH_MIN} characters or more.`;
  return password.length > PASSWORD_LENGTH_MAX ? "This password is too long." : null;
}

function passwordPage(problem?: string): string {
  return page(
    "Set up QuFabric",
    html`<p>This server has no account yet. You become its owner.</p>
${problem === undefined ? null : html`<p role="alert">${problem}</p>`}
<form method="post">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" required autofocus maxlength="254">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password"
 required minlength="${PASSWORD_LENGTH_MIN}" maxlength="${PASSWORD_LENGTH_MAX}">
<button type="submit">Set up</button>
</form>`,
  );
}

function providerPage(deps: SetupRoutesDeps): string {
  return page(
    "Set up QuFabric",
    html`<p>This server has no account yet.</p>
<p>Sign in at ${new URL(deps.oidc.issuer).host} to become its owner.</p>
<form method="post"><button type="submit" autofocus>Sign in</button></form>`,
  );
}

/** The cookie holds the link's secret too: the callback needs it, and no one else may have it. */
async function toProvider(deps: SetupRoutesDeps, c: Context): Promise<string> {
  const secret = randomBytes(32).toString("base64url");
  setCookie(c, COOKIE, `${secret}.${c.req.param("secret") ?? ""}`, {
    path: "/login",
    httpOnly: true,
    sameSite: "Lax",
    secure: deps.origin.startsWith("https:"),
    maxAge: COOKIE_SECONDS,
  });
  return deps.relyingParty.authorizationUrl({
    redirectUri: deps.origin + HOSTED_CALLBACK_PATH,
    state: stateOf(secret),
    nonce: sha256(nonceBytes(secret)),
    verifier: verifierOf(secret),
    fresh: false,
    promptLogin: false,
  });
}

async function fromProvider(deps: SetupRoutesDeps, c: Context): Promise<string> {
  const [secret = "", link = ""] = (getCookie(c, COOKIE) ?? "").split(".");
  const state = c.req.query("state") ?? "";
  if (secret === "" || !isEqualSecret(state, stateOf(secret))) {
    throw new QfError("ERR_FORBIDDEN", "this sign-in was started in another browser");
  }
  const linkHash = setupLinkHash(link);
  if (!(await deps.isOpen(linkHash))) throw linkOver();
  const seen = new URL(c.req.url);
  const tokens = await deps.relyingParty.redeem({
    callback: new URL(seen.pathname + seen.search, deps.origin),
    redirectUri: deps.origin + HOSTED_CALLBACK_PATH,
    state,
    verifier: verifierOf(secret),
  });
  const { subject, email, name } = await deps.verify(tokens, nonceBytes(secret));
  const identity = { issuer: deps.oidc.issuer, subject, name: shownName(name) ?? "" };
  return deps.complete(linkHash, { email: Email.safeParse(email).success ? email : "", identity });
}

function donePage(c: Context, token: string): Response {
  const text = page(
    "QuFabric is set up",
    html`<p>You are the owner. Sign in to add the first machine:</p>
<p><a class="button" href="${FIRST_STEPS}">Open the dashboard</a></p>
<p>For programs and <code>qf</code>: this API token is shown once, keep it safe.</p>
<p><output id="token">${token}</output></p>
<p>Put it into a file, set <code>QF_TOKEN_FILE</code> to its path,
and continue with <code>qf setup-key create</code>.</p>`,
  );
  return c.body(text, 200, pageHeaders());
}

function pageOf(c: Context, deps: SetupRoutesDeps, text: string): Response {
  return c.body(
    text,
    200,
    pageHeaders(deps.oidc.embedded ? [] : ["https:", new URL(deps.oidc.issuer).origin]),
  );
}

function failurePage(c: Context, deps: SetupRoutesDeps, error: Error): Response {
  const known = isQfError(error) ? error : new QfError("ERR_INTERNAL", "something went wrong here");
  const status = FAILURES[known.code].httpStatus;
  if (status === 500) deps.log.error("set-up failed", {}, error);
  const details = failureDetails(error);
  if (Object.keys(details).length > 0 || known.code === "ERR_UNAVAILABLE") {
    deps.log.warn("set-up failed", { message: known.message, ...details }, known.cause);
  }
  return c.body(messagePage("Not set up", known.message, known.hint), status, pageHeaders());
}

function linkOver(): QfError {
  return new QfError("ERR_NOT_FOUND", "this link was used or has expired", {
    hint: "restart the server for a new one, if it has no account yet",
  });
}

function stateOf(secret: string): string {
  return SETUP_STATE_PREFIX + sha256(`qufabric/setup/state/${secret}`);
}

function verifierOf(secret: string): string {
  return sha256(`qufabric/setup/pkce/${secret}`);
}

function nonceBytes(secret: string): Uint8Array {
  return Buffer.from(`qufabric/setup/nonce/${secret}`);
}
