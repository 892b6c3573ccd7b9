/**
 * The dashboard's paths. A signed-in person gets the dashboard; anyone else gets the first page, which leads
 * to signing in and back to the same path.
 *
 * @module
 */
import { DASHBOARD_ASSETS_PATH } from "../../../wire/dashboard-section.ts";
import { DASHBOARD_SIGN_IN_PATH } from "../../../wire/web-session.ts";
import type { Store } from "../../db/store.ts";
import { findWebSession } from "../../db/tables/web-sessions.ts";
import { dashboardFiles } from "../../web/dashboard-files.ts";
import type { Pages } from "../request-entry.ts";
import { rootPage, wantsPage } from "../root-page.ts";
import { secretOfCookie } from "../session-cookie.ts";
import { assetResponse } from "./assets.ts";
import { dashboardPage, isDashboardPath } from "./page.ts";

export interface DashboardPagesDeps {
  readonly store: Store;
  /** Where machines and `qf` reach the server. */
  readonly origin: string;
  /** Where the dashboard is. */
  readonly dashboardOrigin: string;
}

export function createDashboardPages(deps: DashboardPagesDeps): Pages {
  const built = dashboardFiles();
  const isApart = deps.origin !== deps.dashboardOrigin;
  const { host } = new URL(deps.dashboardOrigin);
  return async (request, pathname) => {
    if (built === null) return null;
    if (isApart && new URL(request.url).host !== host) return pageElsewhere(deps, request, pathname);
    if (pathname.startsWith(`${DASHBOARD_ASSETS_PATH}/`)) return assetResponse(built, request, pathname);
    if (!wantsPage(request) || !isDashboardPath(pathname)) return null;
    const secret = secretOfCookie(request.headers.get("cookie") ?? undefined);
    const session =
      secret === null ? undefined : await deps.store.read((tx) => findWebSession(tx, { secret }));
    if (session !== undefined) return dashboardPage(built, request, deps);
    const { search } = new URL(request.url);
    const to = encodeURIComponent(pathname + search);
    return rootPage(deps.origin, `${DASHBOARD_SIGN_IN_PATH}?to=${to}`);
  };
}

/** The answer at the public address, which leads to the dashboard's own. */
function pageElsewhere(deps: DashboardPagesDeps, request: Request, pathname: string): Response | null {
  if (!wantsPage(request) || !isDashboardPath(pathname)) return null;
  const { search } = new URL(request.url);
  if (pathname === "/") return rootPage(deps.origin, deps.dashboardOrigin + DASHBOARD_SIGN_IN_PATH);
  return Response.redirect(deps.dashboardOrigin + pathname + search, 303);
}
