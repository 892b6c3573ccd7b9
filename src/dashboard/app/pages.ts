/**
 * Menu addresses that have a page.
 *
 * @module
 */
export const PAGES: ReadonlySet<string> = new Set([
  "/",
  "/overview",
  "/machines",
  "/devices",
  "/setup-keys",
  "/rollouts",
  "/people",
  "/groups",
  "/policies",
  "/posture-checks",
  "/access",
  "/sessions",
  "/requests",
  "/audit",
  "/settings",
  "/account",
]);
