/**
 * Pages of the hosted sign-in: `/login/hosted/:id` and the callback from the provider.
 *
 * A cookie identifies the browser. It holds a random secret and the id of the sign-in, which may be its
 * ticket. The form's token, the provider's `state` and the PKCE verifier are digests of the secret, so none
 * of them is usable elsewhere, and the server stores nothing.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { sshBlobOfEd25519 } from "../../base/ed25519.ts";
import { FAILURES, isQfError, QfError } from "../../base/errors.ts";
import { messagePage, pageHeaders } from "../../base/html.ts";
import { isEqualSecret, sha256 } from "../../base/random.ts";
import { isRefusal } from "../../identity/provider-failure.ts";
import { nonceOf } from "../../identity/verify.ts";
import { HostedLoginId } from "../../wire/units.ts";
import { filled } from "../contracts/settings.ts";
import { createSourceAttempts, type SourceAttempts } from "../idp/attempts.ts";
import { DEVICE_NAME_PARAM, HOSTED_CALLBACK_PATH } from "../idp/provider.ts";
import type { RelyingParty } from "../idp/relying-party.ts";
import { currentAccount, type LoginDeps } from "../login/deps.ts";
import { approveHosted, denyHosted, failHosted, findWaiting, type OpenHostedLogin } from "../login/hosted.ts";
import { formOf } from "./form.ts";
import { hostedCodePage, hostedConfirmPage, hostedDonePage } from "./hosted-pages.ts";

const COOKIE_SECONDS = 330;
/**
 * How many refused or failed sign-ins one source may have recorded. Terminals whose sign-ins were not
 * recorded keep waiting.
 */
const ENDS = { countMax: 20, windowMs: 5 * 60_000 };

export interface HostedRoutesDeps {
  readonly login: LoginDeps;
  readonly relyingParty: RelyingParty;
}

interface HostedRoutes extends HostedRoutesDeps {
  readonly ends: SourceAttempts;
}

export function createHostedRoutes(given: HostedRoutesDeps) {
  const { login } = given;
  const { origin, clock } = login.ctx;
  const deps: HostedRoutes = { ...given, ends: createSourceAttempts(clock, ENDS) };
  return new Hono()
    .get("/login/hosted/:id", async (c) => {
      const id = hostedId(c.req.param("id"));
      const hosted = await findWaiting(login, id);
      const secret = ensureCookie(c, hosted.row.id, { id, origin });
      const csrf = csrfOf(secret, hosted.row.id);
      return pageOf(
        c,
        deps,
        hostedConfirmPage(hosted.data, {
          ...{ sourceAddress: hosted.data.sourceAddress, csrf, origin },
          key: shortFingerprint(hosted.row.loginKey),
        }),
      );
    })
    .post("/login/hosted/:id", async (c) => {
      const hosted = await findWaiting(login, hostedId(c.req.param("id")));
      const form = await formOf(c.req.raw, origin);
      const { secret } = readCookie(c, hosted.row.id);
      if (secret === "" || !isEqualSecret(form.get("csrf") ?? "", csrfOf(secret, hosted.row.id))) {
        throw new QfError("ERR_FORBIDDEN", "this form belongs to another browser");
      }
      if (form.get("action") === "deny") {
        await end(deps, hosted, { with: denyHosted });
        return pageOf(c, deps, messagePage("Denied", "Nobody was signed in. You can close this page."));
      }
      if (form.get("action") !== "confirm") throw new QfError("ERR_BAD_REQUEST", "this form is not complete");
      const url = await orEnd(deps, hosted, authorizationUrl(deps, hosted, secret));
      return c.redirect(url, 303);
    })
    .get(HOSTED_CALLBACK_PATH, async (c) => {
      const state = c.req.query("state") ?? "";
      const rowId = hostedId(state.split(".")[0] ?? "");
      const { secret, id } = readCookie(c, rowId);
      if (secret === "" || !isEqualSecret(state, stateOf(secret, rowId))) {
        throw new QfError("ERR_FORBIDDEN", "this sign-in was started in another browser");
      }
      const hosted = await findWaiting(login, id);
      if (hosted.row.id !== rowId)
        throw new QfError("ERR_FORBIDDEN", "this is the answer to another sign-in");
      const code = await finish(deps, hosted, { callback: new URL(c.req.url), state, secret });
      return pageOf(c, deps, code === null ? hostedDonePage(hosted.data) : hostedCodePage(hosted.data, code));
    })
    .onError((error, c) => failurePage(c, deps, error));
}

async function authorizationUrl(
  deps: HostedRoutesDeps,
  hosted: OpenHostedLogin,
  secret: string,
): Promise<string> {
  const { ctx } = deps.login;
  const { row, data } = hosted;
  const account = await currentAccount(ctx);
  return deps.relyingParty.authorizationUrl({
    redirectUri: ctx.origin + HOSTED_CALLBACK_PATH,
    state: stateOf(secret, row.id),
    nonce: nonceOf(sshBlobOfEd25519(row.loginKey)),
    verifier: verifierOf(secret, row.id),
    fresh: data.fresh,
    promptLogin: filled(account.settings).prompt_login,
    ...(ctx.oidc.embedded ? { extra: { [DEVICE_NAME_PARAM]: askerOf(data) } } : {}),
  });
}

/** What the embedded provider's page names as asking for the sign-in. */
function askerOf({ deviceName, localUser, approval }: OpenHostedLogin["data"]): string {
  return approval === undefined ? deviceName : `${localUser}@${deviceName}`;
}

/** Records the end of a sign-in. Anyone can open a sign-in and refuse it, so ends are limited per source. */
async function end(
  { login, ends }: HostedRoutes,
  hosted: OpenHostedLogin,
  how: { readonly with: typeof denyHosted; readonly error?: unknown },
): Promise<void> {
  if (ends.take(hosted.data.sourceAddress)) await how.with(login, hosted, how.error);
}

/**
 * Redeems the provider's code and approves the sign-in. A refusal at the provider counts as a denial; a
 * failure does not.
 */
async function finish(
  deps: HostedRoutes,
  hosted: OpenHostedLogin,
  answer: { callback: URL; state: string; secret: string },
): Promise<string | null> {
  const { origin } = deps.login.ctx;
  const { callback, state, secret } = answer;
  // The URL as the provider saw it. Behind a proxy, the request's own scheme and host may differ.
  const seen = new URL(callback.pathname + callback.search, origin);
  const redirectUri = origin + HOSTED_CALLBACK_PATH;
  const verifier = verifierOf(secret, hosted.row.id);
  const redeemed = deps.relyingParty.redeem({ callback: seen, redirectUri, state, verifier });
  return orEnd(
    deps,
    hosted,
    redeemed.then((tokens) => approveHosted(deps.login, hosted, tokens)),
  );
}

/** Awaits `work`. If it fails, the sign-in is over, and its terminal is told why. */
async function orEnd<T>(deps: HostedRoutes, hosted: OpenHostedLogin, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const how = { with: isRefusal(error) ? denyHosted : failHosted, error };
    await end(deps, hosted, how).catch((cause) => {
      deps.login.ctx.log.warn("a failed sign-in could not be ended", { hosted: hosted.row.id }, cause);
    });
    throw error;
  }
}

function failurePage(c: Context, deps: HostedRoutesDeps, error: Error): Response {
  const isKnown = isQfError(error);
  if (!isKnown) deps.login.ctx.log.error("sign-in page failed", {}, error);
  const status = isKnown ? FAILURES[error.code].httpStatus : 500;
  const message = isKnown ? error.message : "something went wrong here";
  const text = messagePage("Sign-in failed", message, isKnown ? error.hint : undefined);
  return c.body(text, status, pageHeaders());
}

/** The form redirects to the provider, and an external one may redirect the browser further. */
function pageOf(c: Context, deps: HostedRoutesDeps, text: string): Response {
  const { oidc } = deps.login.ctx;
  return c.body(text, 200, pageHeaders(oidc.embedded ? [] : ["https:", new URL(oidc.issuer).origin]));
}

/** Eight hex characters of a login key's digest, for people to compare with the page that made it. */
function shortFingerprint(loginKey: string): string {
  return createHash("sha256").update(sshBlobOfEd25519(loginKey)).digest("hex").slice(0, 8);
}

function hostedId(text: string): string {
  const id = HostedLoginId.safeParse(text);
  if (!id.success) throw new QfError("ERR_NOT_FOUND", "there is no such sign-in");
  return id.data;
}

function cookieName(id: string): string {
  return `qf_hosted_${id}`;
}

/** The secret in the browser's cookie, and the id under which the browser saw the sign-in. */
function readCookie(c: Context, rowId: string): { readonly secret: string; readonly id: string } {
  const [secret = "", id = ""] = (getCookie(c, cookieName(rowId)) ?? "").split(".", 2);
  const isOurs = /^[A-Za-z0-9_-]{43}$/.test(secret) && HostedLoginId.safeParse(id).success;
  return isOurs ? { secret, id } : { secret: "", id: rowId };
}

function ensureCookie(c: Context, rowId: string, { id, origin }: { id: string; origin: string }): string {
  const known = readCookie(c, rowId);
  if (known.secret !== "") return known.secret;
  const secret = randomBytes(32).toString("base64url");
  setCookie(c, cookieName(rowId), `${secret}.${id}`, {
    path: "/login",
    httpOnly: true,
    sameSite: "Lax",
    secure: origin.startsWith("https:"),
    maxAge: COOKIE_SECONDS,
  });
  return secret;
}

function csrfOf(secret: string, id: string): string {
  return sha256(`qufabric/hosted/csrf/${id}/${secret}`);
}

/** The OAuth state. It names the sign-in, and only the provider and the browser with the cookie know it. */
function stateOf(secret: string, id: string): string {
  return `${id}.${sha256(`qufabric/hosted/state/${id}/${secret}`)}`;
}

function verifierOf(secret: string, id: string): string {
  return sha256(`qufabric/hosted/pkce/${id}/${secret}`);
}
