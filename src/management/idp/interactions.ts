/**
 * The sign-in and confirmation pages, as plain forms: `/idp/interaction/:uid`.
 *
 * A sign-in takes two answers of a person: who they are (e-mail and password), and that they want what the
 * page names to be signed in. The second is required unless the password was given for this very request, so
 * a live session never signs anything in silently.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import { factList, type Html, html, messagePage, page, pageHeaders } from "../../base/html.ts";
import type { Log } from "../../base/log.ts";
import { HostLabel, LocalUser } from "../../wire/units.ts";
import type { KnownBrowsers } from "./known-browser.ts";
import { SOURCE_HEADER } from "./mount.ts";
import { PASSWORD_PATH } from "./password-change.ts";
import { type PasswordCheck, passwordStamp } from "./passwords.ts";
import { DEVICE_NAME_PARAM, hostedRedirects } from "./provider.ts";

const BODY_BYTES_MAX = 8 * 1024;
const BODY_TIMEOUT_MS = 10_000;
const PATH = /^\/interaction\/([A-Za-z0-9_-]{1,64})$/;

type Interaction = Awaited<ReturnType<Provider["interactionDetails"]>>;

export interface InteractionDeps {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly passwords: PasswordCheck;
  readonly browsers: KnownBrowsers;
  readonly origin: string;
  /** Origin of the dashboard. Absent: `origin`. */
  readonly dashboardOrigin?: string;
  readonly log: Log;
}

/** Adds the pages in front of the provider's own routes. */
export function mountInteractions(deps: InteractionDeps): void {
  deps.provider.use(async (ctx, next) => {
    const match = PATH.exec(ctx.path);
    if (match === null) return next();
    ctx.respond = false;
    await answer(deps, { req: ctx.req, res: ctx.res, uid: match[1] ?? "" });
  });
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly uid: string;
}

async function answer(deps: InteractionDeps, exchange: Exchange): Promise<void> {
  const { req, res } = exchange;
  try {
    const interaction = await findInteraction(deps.provider, exchange);
    if (req.method === "GET" || req.method === "HEAD") {
      sendPage(exchange, 200, interactionPage(deps, interaction), interaction);
    } else if (req.method === "POST") {
      await submit(deps, exchange, interaction);
    } else throw new QfError("ERR_METHOD_NOT_ALLOWED", "this page takes GET and POST");
  } catch (error) {
    if (!isQfError(error)) deps.log.error("sign-in page failed", {}, error);
    const status = isQfError(error, "ERR_TOO_MANY") ? 429 : isQfError(error, "ERR_INTERNAL") ? 500 : 400;
    const message = isQfError(error) ? error.message : "something went wrong here";
    if (res.headersSent) return void res.end();
    res.writeHead(status, pageHeaders());
    res.end(messagePage("Sign-in failed", message, "Go back to the terminal and start again."));
  }
}

async function findInteraction(provider: Provider, { req, res, uid }: Exchange): Promise<Interaction> {
  const interaction = await provider.interactionDetails(req, res).catch((cause: unknown) => {
    throw new QfError("ERR_LOGIN_FAILED", "this sign-in has expired or belongs to another browser", {
      cause,
    });
  });
  if (interaction.uid !== uid) throw new QfError("ERR_LOGIN_FAILED", "this sign-in belongs to another page");
  return interaction;
}

function interactionPage(deps: InteractionDeps, interaction: Interaction, failure?: string): string {
  const asked = whatIsAsked(deps, interaction);
  if (interaction.prompt.name === "login") {
    const hint = typeof interaction.params.login_hint === "string" ? interaction.params.login_hint : "";
    return page(
      "Sign in",
      html`${asked}${failure === undefined ? null : html`<p role="alert">${failure}</p>`}
<form method="post">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username"
 required autofocus maxlength="254" value="${hint.slice(0, 254)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password"
 required maxlength="1024">
<button type="submit" name="action" value="login">Sign in</button>
</form>
<form method="post"><button type="submit" name="action" value="deny" class="secondary"
 formnovalidate>Cancel</button></form>
<p class="below"><a href="${PASSWORD_PATH}?next=/idp/interaction/${interaction.uid}">Change your password</a>
</p>`,
    );
  }
  return page(
    "Confirm the sign-in",
    html`${asked}<p>Only go on if you have just started this yourself.</p>
<form method="post"><div class="actions">
<button type="submit" name="action" value="confirm" autofocus>Confirm</button>
<button type="submit" name="action" value="deny" class="secondary">Deny</button>
</div></form>`,
  );
}

/** Who asks to be signed in, in the words that the person's terminal uses. */
function whatIsAsked(deps: InteractionDeps, interaction: Interaction): Html {
  const asker = String(interaction.params[DEVICE_NAME_PARAM] ?? "");
  const at = asker.lastIndexOf("@");
  const localUser = LocalUser.safeParse(asker.slice(0, Math.max(at, 0)));
  const device = HostLabel.safeParse(asker.slice(at + 1));
  if (device.success && localUser.success) {
    return html`<p>You are asked to sign in to QuFabric.</p>${factList([
      ["Program", "an SSH client"],
      ["Machine", device.data],
      ["Local user", localUser.data],
      ["Server", deps.origin],
    ])}`;
  }
  return html`<p>You are asked to sign in to QuFabric.</p>${factList([
    ["Program", programOf(deps, interaction, asker)],
    ...(device.success ? [["Device", device.data] as const] : []),
    ["Server", deps.origin],
  ])}`;
}

/** Names the program that asks. A hosted sign-in names its device; one to the dashboard has none to name. */
function programOf(deps: InteractionDeps, { params }: Interaction, asker: string): string {
  if (!hostedRedirects(deps).has(params.redirect_uri)) return "qf, on this computer";
  return asker === "" ? "the dashboard, in this browser" : "qf, in a terminal elsewhere";
}

async function submit(deps: InteractionDeps, exchange: Exchange, interaction: Interaction): Promise<void> {
  const { req, res } = exchange;
  if (req.headers.origin !== undefined && req.headers.origin !== deps.origin) {
    throw new QfError("ERR_FORBIDDEN", "this form was sent by another site");
  }
  const form = await readForm(req);
  const finish = (result: Record<string, unknown>): Promise<void> =>
    deps.provider.interactionFinished(req, res, result);
  if (form.get("action") === "deny") {
    return finish({ error: "access_denied" });
  }
  if (interaction.prompt.name !== "login") {
    if (form.get("action") !== "confirm") throw new QfError("ERR_BAD_REQUEST", "this form is not complete");
    return finish({ consent: {} });
  }
  const email = form.get("email") ?? "";
  const sourceAddress = String(req.headers[SOURCE_HEADER] ?? "");
  const outcome = await deps.passwords.check(email.slice(0, 254), form.get("password") ?? "", {
    address: sourceAddress,
    knownBrowser: (account) => deps.browsers.find(req.headers.cookie, account, nowSeconds(deps.clock)),
  });
  if (outcome.kind === "too_many") {
    throw new QfError("ERR_TOO_MANY", "too many tries from here; wait five minutes");
  }
  if (outcome.kind === "wrong") {
    return sendPage(
      exchange,
      401,
      interactionPage(deps, interaction, "E-mail or password is wrong."),
      interaction,
    );
  }
  if (outcome.account.mustChange) return sendMustChange(exchange);
  res.setHeader("set-cookie", deps.browsers.cookieFor(outcome.account, nowSeconds(deps.clock)));
  await leaveOtherSession(deps, interaction, outcome.account.subject);
  // A hosted sign-in was confirmed on our page in this browser already, and the password was given for it.
  const isHosted = hostedRedirects(deps).has(interaction.params.redirect_uri);
  // Identifies the password. Session, codes and tokens carry it, and become invalid when the password
  // changes.
  const acr = passwordStamp(outcome.account.passwordHash);
  const login = { accountId: outcome.account.subject, amr: ["pwd"], acr };
  return finish(isHosted ? { login, consent: {} } : { login });
}

/**
 * Ends the session of a browser that is signed in as another person. The provider would have it run a script
 * instead.
 */
async function leaveOtherSession(
  deps: InteractionDeps,
  interaction: Interaction,
  accountId: string,
): Promise<void> {
  const current = interaction.session;
  if (current?.uid === undefined || current.accountId === accountId) return;
  const session = await deps.provider.Session.findByUid(current.uid);
  await session?.destroy();
  delete interaction.session;
  await interaction.save(Math.max(1, interaction.exp - nowSeconds(deps.clock)));
}

/** An administrator set this password and knows it, so it does not sign in. */
function sendMustChange({ res, uid }: Exchange): void {
  res.writeHead(403, pageHeaders());
  res.end(
    page(
      "Choose your own password",
      html`<p>An administrator has set the password that you gave. Replace it by one that only you know.</p>
<p><a href="${PASSWORD_PATH}?next=/idp/interaction/${uid}">Choose a password</a></p>`,
    ),
  );
}

function sendPage({ req, res }: Exchange, status: number, body: string, interaction: Interaction): void {
  const redirect = URL.parse(String(interaction.params.redirect_uri));
  res.writeHead(status, pageHeaders(redirect === null ? [] : [redirect.origin]));
  res.end(req.method === "HEAD" ? undefined : body);
}

/** A urlencoded form, bounded in size and time. */
async function readForm(req: IncomingMessage): Promise<URLSearchParams> {
  if (!(req.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")) {
    throw new QfError("ERR_BAD_REQUEST", "this page takes a form");
  }
  const timer = setTimeout(() => req.destroy(), BODY_TIMEOUT_MS);
  try {
    let text = "";
    for await (const chunk of req.setEncoding("utf8")) {
      text += chunk;
      if (text.length > BODY_BYTES_MAX) throw new QfError("ERR_TOO_LARGE", "the form is too large");
    }
    return new URLSearchParams(text);
  } finally {
    clearTimeout(timer);
  }
}
