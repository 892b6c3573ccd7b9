/**
 * The page that a sign-in comes back to: one of ours, and nothing else.
 *
 * @module
 */

const CHARS_MAX = 1_024;
/** One slash and then no other, and no character that a browser would read as one or leave out. */
const OWN_PATH = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/;
/** Paths that are not pages of the dashboard: another purpose must not follow from a sign-in to it. */
const NOT_PAGES = /^\/(?:api|idp|login|setup|client|agent|relay|assets)(?:[/?#]|$)/;

/** `to` where it is a page of ours; else the first page. */
export function returnPath(to: string | undefined): string {
  if (to === undefined || to.length > CHARS_MAX || !OWN_PATH.test(to)) return "/";
  const url = URL.parse(to, "https://own.invalid");
  if (url === null || url.origin !== "https://own.invalid" || NOT_PAGES.test(url.pathname)) return "/";
  return url.pathname + url.search + url.hash;
}
