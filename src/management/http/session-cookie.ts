/**
 * The cookie of a dashboard session, and which requests it is accepted on.
 *
 * Browsers send a cookie for whatever page asks, so it counts only if the browser reports a page of our own
 * origin and the request carries a header that no other origin may send.
 *
 * @module
 */
import { DASHBOARD_HEADER, WEB_SESSION_COOKIE } from "../../wire/web-session.ts";

/** The parts of a request that are looked at. */
export interface CredentialSource {
  header(name: string): string | undefined;
  /** Our public origin. */
  readonly origin: string;
}

const SECRET = /^[A-Za-z0-9_-]{43}$/;

/**
 * The session's secret, on a request of one of our pages. Null: no cookie, or a request that proves no such
 * origin.
 */
export function sessionSecretOf(request: CredentialSource): string | null {
  return isOfOurPage(request) ? secretOfCookie(request.header("cookie")) : null;
}

/** The session's secret, whichever page asks. For pages that show nothing but what is public. */
export function secretOfCookie(cookies: string | undefined): string | null {
  const values = (cookies ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${WEB_SESSION_COOKIE}=`))
    .map((pair) => pair.slice(WEB_SESSION_COOKIE.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && SECRET.test(value) ? value : null;
}

/** Same origin by `Origin` or `Sec-Fetch-Site`, contradicted by neither, and with our pages' header. */
function isOfOurPage(request: CredentialSource): boolean {
  const from = request.header("origin");
  const site = request.header("sec-fetch-site");
  if (request.header(DASHBOARD_HEADER) === undefined) return false;
  if (from === undefined && site === undefined) return false;
  return (from === undefined || from === request.origin) && (site === undefined || site === "same-origin");
}

/** `Set-Cookie` of a new session. Browsers treat loopback as secure even without TLS. */
export function sessionCookie(secret: string, seconds: number): string {
  return `${WEB_SESSION_COOKIE}=${secret}; Path=/; Max-Age=${seconds}; HttpOnly; Secure; SameSite=Lax`;
}

/** `Set-Cookie` that deletes the session cookie. */
export const NO_SESSION_COOKIE = `${WEB_SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax`;
