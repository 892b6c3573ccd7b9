/**
 * Pages on which people of the embedded provider choose a password: `/idp/password/<secret>` with an
 * invitation or a reset link, `/idp/password` with the old password.
 *
 * Opening a link does not use it up, since mail scanners open links too. Submitting the form does.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { FAILURES, isQfError, QfError } from "../../base/errors.ts";
import { factList, type Html, html, messagePage, page, pageHeaders } from "../../base/html.ts";
import type { Log } from "../../base/log.ts";
import { isEqualSecret } from "../../base/random.ts";
import type { Store } from "../db/store.ts";
import { findPasswordLink, type PasswordLinkRow, usePasswordLink } from "../db/tables/password-links.ts";
import { findPasswordUser, type PasswordUser } from "../db/tables/sign-in.ts";
import { choosePassword, PASSWORD_PATH, passwordLinkHash, passwordProblem } from "../idp/password-change.ts";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN, type PasswordCheck } from "../idp/passwords.ts";
import { initiatorOf } from "../login/person.ts";
import { formOf } from "./form.ts";

/** Where a person may continue afterwards: only an interrupted sign-in. */
const NEXT = /^\/idp\/interaction\/[A-Za-z0-9_-]{1,64}$/;
const SECRET_LENGTH_MAX = 128;

export interface PasswordRoutesDeps {
  readonly origin: string;
  readonly log: Log;
  readonly store: Store;
  /**
   * The embedded provider's check, with its limits on guessing. Throws ERR_NOT_FOUND with an external one.
   */
  readonly passwords: () => PasswordCheck;
}

export function createPasswordRoutes(deps: PasswordRoutesDeps) {
  return new Hono<{ Bindings: { sourceAddress: string } }>()
    .get(PASSWORD_PATH, (c) => {
      deps.passwords();
      return c.body(changePage(c), 200, pageHeaders());
    })
    .post(PASSWORD_PATH, (c) => change(deps, c, c.env.sourceAddress))
    .get(`${PASSWORD_PATH}/:secret`, async (c) => {
      const found = await openLink(deps, c);
      return c.body(linkPage(found), 200, pageHeaders());
    })
    .post(`${PASSWORD_PATH}/:secret`, (c) => byLink(deps, c))
    .onError((error, c) => failurePage(c, deps, error));
}

interface OpenLink {
  readonly link: PasswordLinkRow;
  readonly person: PasswordUser;
}

/** Throws ERR_NOT_FOUND for an unknown, used or expired link. */
async function openLink({ store, passwords }: PasswordRoutesDeps, c: Context): Promise<OpenLink> {
  passwords();
  const hash = passwordLinkHash((c.req.param("secret") ?? "").slice(0, SECRET_LENGTH_MAX));
  return store.read(async (tx) => {
    const link = await findPasswordLink(tx, hash);
    const person = link === undefined ? undefined : await findPasswordUser(tx, { userId: link.userId });
    if (link === undefined || person === undefined) throw linkOver();
    requireMaySignIn(person);
    return { link, person };
  });
}

async function byLink(deps: PasswordRoutesDeps, c: Context): Promise<Response> {
  const found = await openLink(deps, c);
  const form = await formOf(c.req.raw, deps.origin);
  const problem = problemOf(form);
  if (problem !== null) return c.body(linkPage(found, problem), 422, pageHeaders());
  const { user } = found.person;
  const passwordHash = await deps.passwords().hash(form.get("new_password") ?? "", user.id);
  const isInvitation = found.link.kind === "invitation";
  const kept = await deps.store.change(
    { accountId: user.accountId, initiator: initiatorOf(user) },
    async (tx) => {
      // Of two forms sent at once, only one finds the link.
      const link = await usePasswordLink(tx, found.link.hash);
      const person = link === undefined ? undefined : await findPasswordUser(tx, { userId: link.userId });
      if (person === undefined) throw linkOver();
      requireMaySignIn(person);
      const activity = isInvitation ? "user.invite.link.accept" : "user.password.reset";
      return choosePassword(tx, person, { passwordHash, activity });
    },
  );
  return c.body(donePage({ isFirst: isInvitation, next: null, kept }), 200, pageHeaders());
}

async function change(deps: PasswordRoutesDeps, c: Context, sourceAddress: string): Promise<Response> {
  const passwords = deps.passwords();
  const form = await formOf(c.req.raw, deps.origin);
  const email = (form.get("email") ?? "").slice(0, 254);
  const again = (text: string, status: 401 | 422) =>
    c.body(changePage(c, { email, text }), status, pageHeaders());
  const problem = problemOf(form);
  if (problem !== null) return again(problem, 422);
  if (isEqualSecret(form.get("new_password") ?? "", form.get("password") ?? ""))
    return again("That is the password you have.", 422);
  const outcome = await passwords.check(email, form.get("password") ?? "", { address: sourceAddress });
  if (outcome.kind === "too_many") {
    throw new QfError("ERR_TOO_MANY", "too many tries from here; wait five minutes");
  }
  if (outcome.kind === "wrong") return again("E-mail or password is wrong.", 401);
  const newPassword = form.get("new_password") ?? "";
  const kept = await changeOwnPassword({ store: deps.store, passwords }, outcome.account, newPassword);
  return c.body(donePage({ isFirst: false, next: nextOf(c), kept }), 200, pageHeaders());
}

/**
 * Sets the password of a person who has just given the old one. Returns how many of their personal API tokens
 * stay valid. Throws ERR_FORBIDDEN for a person who may not sign in, ERR_CONFLICT if the old password has
 * changed meanwhile.
 */
export async function changeOwnPassword(
  { store, passwords }: { readonly store: Store; readonly passwords: PasswordCheck },
  old: { readonly subject: string; readonly passwordHash: string },
  password: string,
): Promise<number> {
  const passwordHash = await passwords.hash(password, old.subject);
  const before = await store.read((tx) => findPasswordUser(tx, old));
  if (before === undefined) throw linkOver();
  const { user } = before;
  return store.change({ accountId: user.accountId, initiator: initiatorOf(user) }, async (tx) => {
    const person = await findPasswordUser(tx, old);
    if (person === undefined || !isEqualSecret(person.login.passwordHash, old.passwordHash)) {
      throw new QfError("ERR_CONFLICT", "this password was changed a moment ago");
    }
    requireMaySignIn(person);
    return choosePassword(tx, person, { passwordHash, activity: "user.password.change" });
  });
}

/** A blocked person cannot choose a password: a link does not outlive the right to sign in. */
function requireMaySignIn({ user }: PasswordUser): void {
  if (user.isBlocked) throw new QfError("ERR_FORBIDDEN", "this user is blocked");
}

function linkOver(): QfError {
  return new QfError("ERR_NOT_FOUND", "this link was used or has expired", {
    hint: "ask an administrator for a new link",
  });
}

function problemOf(form: URLSearchParams): string | null {
  const password = form.get("new_password") ?? "";
  if (password !== (form.get("repeated") ?? "")) return "The two passwords differ.";
  return passwordProblem(password);
}

function nextOf(c: Context): string | null {
  const next = c.req.query("next") ?? "";
  return NEXT.test(next) ? next : null;
}

const NEW_PASSWORD_FIELDS = html`<label for="new_password">New password</label>
<input id="new_password" name="new_password" type="password" autocomplete="new-password"
 aria-describedby="new_password_rule" required
 minlength="${PASSWORD_LENGTH_MIN}" maxlength="${PASSWORD_LENGTH_MAX}">
<p class="hint" id="new_password_rule">${PASSWORD_LENGTH_MIN} characters or more.</p>
<label for="repeated">New password, once more</label>
<input id="repeated" name="repeated" type="password" autocomplete="new-password"
 required minlength="${PASSWORD_LENGTH_MIN}" maxlength="${PASSWORD_LENGTH_MAX}">`;

function alert(text: string | undefined): Html | null {
  return text === undefined ? null : html`<p role="alert">${text}</p>`;
}

function linkPage({ link, person }: OpenLink, problem?: string): string {
  const isInvitation = link.kind === "invitation";
  return page(
    isInvitation ? "Welcome to QuFabric" : "Choose a new password",
    html`<p>${
      isInvitation
        ? "Choose a password. You will sign in with it and your e-mail address."
        : "You will be signed out everywhere, and connections that are open will end."
    }</p>${factList([["E-mail", person.login.email]])}${alert(problem)}
<form method="post">
<input type="hidden" name="email" autocomplete="username" value="${person.login.email}">
${NEW_PASSWORD_FIELDS}
<button type="submit">Set password</button>
</form>`,
  );
}

function changePage(c: Context, failed?: { readonly email: string; readonly text: string }): string {
  const next = nextOf(c);
  return page(
    "Change your password",
    html`<p>You will be signed out everywhere, and connections that are open will end.</p>
${alert(failed?.text)}
<form method="post" action="${PASSWORD_PATH}${next === null ? "" : `?next=${next}`}">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" required maxlength="254"
 value="${failed?.email ?? ""}">
<label for="password">Current password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
 maxlength="${PASSWORD_LENGTH_MAX}">
${NEW_PASSWORD_FIELDS}
<button type="submit">Change password</button>
</form>`,
  );
}

function donePage(done: { isFirst: boolean; next: string | null; kept: number }): string {
  const { isFirst, next, kept } = done;
  const how =
    next === null
      ? html`<p>Sign in with it in your terminal (<code>qf login</code>), or
<a href="/">in this browser</a>.</p>`
      : null;
  const back = next === null ? null : html`<p><a href="${next}">Go on with your sign-in</a></p>`;
  const many = kept === 1 ? "One API token of yours is" : `${kept} API tokens of yours are`;
  const tokens =
    kept === 0
      ? null
      : html`<p class="hint">${many} still good. Look at them with <code>qf token list</code>, and delete what
you do not know.</p>`;
  return page(isFirst ? "Your password is set" : "Your password is changed", html`${how}${back}${tokens}`);
}

function failurePage(c: Context, deps: PasswordRoutesDeps, error: Error): Response {
  const failure = isQfError(error) ? error : new QfError("ERR_INTERNAL", "something went wrong here");
  const status = FAILURES[failure.code].httpStatus;
  if (status === 500) deps.log.error("a password page failed", {}, error);
  return c.body(messagePage("Password not set", failure.message, failure.hint), status, pageHeaders());
}
