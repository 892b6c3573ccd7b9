/**
 * Dashboard sign-ins in the API, and what our pages send with each request.
 *
 * @module
 */
import { z } from "zod";

/** Cookie of a dashboard session; `__Host-` binds it to this host and to no path or domain. */
export const WEB_SESSION_COOKIE = "__Host-qf_session";
/**
 * A page of ours sends this header, with any value. Another origin cannot send it without a preflight, which
 * is refused.
 */
export const DASHBOARD_HEADER = "x-qf-dashboard";
/** Where a browser signs in to the dashboard; `to` is the page it comes back to. */
export const DASHBOARD_SIGN_IN_PATH = "/login/dashboard";

/** A sign-in of a person to the dashboard. */
export const WebSession = z.object({
  id: z.string(),
  created_at: z.iso.datetime(),
  last_seen: z.iso.datetime(),
  /** When it ends, however much it is used. */
  expires_at: z.iso.datetime(),
  /** When it ends if nothing is asked until then. */
  idle_until: z.iso.datetime(),
  source_address: z.string(),
  /** As the browser names itself; may be anything. */
  browser: z.string(),
  /** Whether the request itself came by it. */
  current: z.boolean(),
});
/** As parsed. */
export type WebSession = z.infer<typeof WebSession>;
