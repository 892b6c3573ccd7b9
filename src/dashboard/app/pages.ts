/**
 * Addresses of the menu that have a page.
 *
 * @module
 */
export const PAGES: ReadonlySet<string> = new Set([
  "/",
  "/overview",
  "/machines",
  "/devices",
  "/setup-keys",
  "/people",
  "/groups",
  "/policies",
  "/access",
  "/sessions",
  "/requests",
  "/audit",
  "/settings",
  "/account",
]);
