/**
 * First parts of the dashboard's addresses: what the server answers with the dashboard, and what its router
 * knows.
 *
 * @module
 */

/** `/SECTION/…`; the first page, `/`, is none of them. */
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
/** One of them. */
export type DashboardSection = (typeof DASHBOARD_SECTIONS)[number];

/** Where scripts, styles and fonts of the dashboard are. Names change with content. */
export const DASHBOARD_ASSETS_PATH = "/assets";

/** Every component in every state, in development builds. */
export const COMPONENTS_PATH = "/dev/components";
