/**
 * The dashboard under an origin of its own (`serve --dashboard-url`): which of the two hosts answers what.
 *
 * Pages with script and pages that sign people in then have different origins. Script injected into a
 * dashboard page cannot even read a page under `/idp`, `/login/hosted` or `/setup`.
 *
 * @module
 */
import { DASHBOARD_ASSETS_PATH } from "../../../wire/dashboard-section.ts";
import { TERMINAL_RELAY_PATH } from "../../../wire/terminal-page.ts";
import { DASHBOARD_SIGN_IN_PATH } from "../../../wire/web-session.ts";
import { HOSTED_CALLBACK_PATH } from "../../idp/provider.ts";
import { DOCUMENTS_PATH } from "../../web/document-pages.ts";
import { isDashboardPath } from "./page.ts";
import { DASHBOARD_STATE_PREFIX } from "./sign-in-routes.ts";

/** Whether `host` (the `Host` header) answers a request for `url`. */
export type AnswersHost = (host: string, url: URL) => boolean;

/** What the dashboard's host answers beside its pages. The API accepts the session cookie only there. */
const OF_DASHBOARD = [
  DASHBOARD_ASSETS_PATH,
  "/api",
  "/client/v1",
  TERMINAL_RELAY_PATH,
  DOCUMENTS_PATH,
  "/healthz",
  "/readyz",
];
/** What only the dashboard's pages use. */
const ONLY_OF_DASHBOARD = [DASHBOARD_ASSETS_PATH, TERMINAL_RELAY_PATH];

/** Undefined: both origins are the same, and everything is answered. */
export function answersByHost(origin: string, dashboardOrigin: string): AnswersHost | undefined {
  if (origin === dashboardOrigin) return undefined;
  const own = new URL(dashboardOrigin).host;
  return (host, url) => {
    const { pathname } = url;
    if (host !== own) return !isSignIn(url) && !isBelow(pathname, ONLY_OF_DASHBOARD);
    return isSignIn(url) || isBelow(pathname, OF_DASHBOARD) || isDashboardPath(pathname);
  };
}

/** The dashboard's sign-in, and its callback from the provider, whose path other sign-ins share. */
function isSignIn({ pathname, searchParams }: URL): boolean {
  if (pathname === DASHBOARD_SIGN_IN_PATH) return true;
  const state = searchParams.get("state") ?? "";
  return pathname === HOSTED_CALLBACK_PATH && state.startsWith(DASHBOARD_STATE_PREFIX);
}

function isBelow(pathname: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => pathname === prefix || pathname.startsWith(`${prefix}/`));
}
