/**
 * Navigations: requests by which a person comes to a page, and no script, frame or image of another.
 *
 * Pages that sign people in answer nothing else. What a browser says of a request (`Sec-Fetch-*`) no script
 * can change. Programs say nothing of it, and have no cookies of a person.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";

const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);
/** Browsers that say of every form whether a person sent it. WebKit never does. */
const TELLS_ACTIVATION = /(?:Chrome|Firefox)\/\d/;

/** Throws ERR_FORBIDDEN for what a browser says is no navigation of a whole page. */
export function requireNavigation(request: Request): void {
  const mode = request.headers.get("sec-fetch-mode");
  const dest = request.headers.get("sec-fetch-dest");
  if ((mode === null || mode === "navigate") && (dest === null || dest === "document")) return;
  throw new QfError("ERR_FORBIDDEN", "this page is opened by a person, not by another page's script");
}

/**
 * `requireNavigation` for a page that signs people in. A form has to come from a page of ours besides, and to
 * be sent by the person and not by script. Throws ERR_FORBIDDEN.
 */
export function requireSignInPage(request: Request): void {
  const { headers } = request;
  const isBrowser = headers.has("sec-fetch-dest") || headers.has("sec-fetch-site");
  if (!isBrowser) return;
  requireNavigation(request);
  if (READING.has(request.method)) return;
  const tells = TELLS_ACTIVATION.test(headers.get("user-agent") ?? "");
  const isByPerson = headers.get("sec-fetch-user") === "?1" || !tells;
  if (headers.get("sec-fetch-site") === "same-origin" && isByPerson) return;
  throw new QfError("ERR_FORBIDDEN", "this form is sent by a person from its own page");
}
