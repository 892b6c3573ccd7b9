/**
 * First path segments of the dashboard, for the server that answers them and the dashboard's router.
 *
 * @module
 */

/** `/SECTION/…`. The start page, `/`, is not among them. */
export const DASHBOARD_SECTIONS = [
  "overview",
  "start",
  "machines",
  "devices",
  "people",
  "groups",
  "setup-keys",
  "rollouts",
  "policies",
  "posture-checks",
  "access",
  "sessions",
  "requests",
  "audit",
  "settings",
  "account",
  "terminal",
] as const;

/** Where scripts, styles and fonts of the dashboard are. Names change with content. */
export const DASHBOARD_ASSETS_PATH = "/assets";

/** Every component in every state, in development builds. */
export const COMPONENTS_PATH = "/dev/components";
