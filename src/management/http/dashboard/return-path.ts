/**
 * The page that a sign-in returns to: always one of ours.
 *
 * @module
 */

const CHARS_MAX = 1_024;
/** One slash that no second one follows, and no character that a browser reads as a slash or drops. */
const OWN_PATH = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/;
/** Paths that are not dashboard pages; a sign-in to the dashboard must not lead to another purpose. */
const NOT_PAGES = /^\/(?:api|idp|login|setup|client|agent|relay|assets)(?:[/?#]|$)/;

/** `to` if it is one of our pages; else the first page. */
export function returnPath(to: string | undefined): string {
  if (to === undefined || to.length > CHARS_MAX || !OWN_PATH.test(to)) return "/";
  const url = URL.parse(to, "https://own.invalid");
  if (url === null || url.origin !== "https://own.invalid" || NOT_PAGES.test(url.pathname)) return "/";
  return url.pathname + url.search + url.hash;
}
