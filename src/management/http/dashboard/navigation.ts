/**
 * Navigations: requests by which a person opens a page, as opposed to scripts, frames and images of other
 * pages.
 *
 * Pages that sign people in answer only navigations. Scripts cannot change what a browser says of a request
 * (`Sec-Fetch-*`). Programs send none of these headers, and have no cookies of a person.
 *
 * @module
 */
import { QfError } from "../../../base/errors.ts";

const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);
/** Browsers that report for every form whether a person submitted it. WebKit never does. */
const TELLS_ACTIVATION = /(?:Chrome|Firefox)\/\d/;

/** Throws ERR_FORBIDDEN if the browser says that this is not a navigation of a whole page. */
export function requireNavigation(request: Request): void {
  const mode = request.headers.get("sec-fetch-mode");
  const dest = request.headers.get("sec-fetch-dest");
  if ((mode === null || mode === "navigate") && (dest === null || dest === "document")) return;
  throw new QfError("ERR_FORBIDDEN", "this page is opened by a person, not by another page's script");
}

/**
 * `requireNavigation` for pages that sign people in. A form must also come from one of our pages, and be
 * submitted by the person instead of a script. Throws ERR_FORBIDDEN.
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
