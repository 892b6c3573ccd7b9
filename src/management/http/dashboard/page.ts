/**
 * The dashboard's HTML page: one document for all its paths, with a content security policy no wider than its
 * libraries need. Its script fetches the content from the API.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { HAS_DEVELOPMENT_PAGES } from "../../../base/build-info.ts";
import { html, SAFE_HEADERS } from "../../../base/html.ts";
import { ICON_URL } from "../../../base/page-style.ts";
import {
  COMPONENTS_PATH,
  DASHBOARD_ASSETS_PATH,
  DASHBOARD_SECTIONS,
} from "../../../wire/dashboard-section.ts";
import type { DashboardFiles } from "../../web/dashboard-files.ts";

const SECTIONS: ReadonlySet<string> = new Set(DASHBOARD_SECTIONS);
/** The theme that a person chose, for the first paint. Anything else: the system's. */
const THEME_COOKIE = /(?:^|;\s*)qf_theme=(light|dark)(?:;|$)/;

/** Whether the dashboard has pages below this path. */
export function isDashboardPath(pathname: string): boolean {
  if (pathname === "/" || SECTIONS.has(pathname.split("/")[1] ?? "")) return true;
  return HAS_DEVELOPMENT_PAGES && pathname === COMPONENTS_PATH;
}

/** Where machines and `qf` reach the server, and where browsers find the dashboard. */
interface Origins {
  readonly origin: string;
  readonly dashboardOrigin: string;
}

/** The document, with a fresh nonce for the styles that its libraries create. */
export function dashboardPage(built: DashboardFiles, request: Request, origins: Origins): Response {
  const nonce = randomBytes(18).toString("base64");
  const theme = THEME_COOKIE.exec(request.headers.get("cookie") ?? "")?.[1] ?? "system";
  const asset = (name: string): string => `${DASHBOARD_ASSETS_PATH}/${name}`;
  const { markup } = html`<!doctype html>
<html lang="en" data-theme="${theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="qf-server" content="${origins.origin}">
<title>QuFabric</title>
<link rel="icon" href="${ICON_URL}">
<link rel="stylesheet" href="${asset(built.style)}">
${built.preload.map((name) => html`<link rel="modulepreload" href="${asset(name)}">`)}
<script type="module" src="${asset(built.script)}" nonce="${nonce}"></script>
</head>
<body>
<div id="root"></div>
<noscript>
<p>The dashboard needs JavaScript. Everything it does, <code>qf</code> does in a terminal.</p>
</noscript>
</body>
</html>
`;
  return new Response(markup, {
    headers: {
      ...SAFE_HEADERS,
      // Differs from the value of pages that sign people in, so script of this page cannot reach into a
      // window that shows one of those.
      "cross-origin-opener-policy": "same-origin-allow-popups",
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": contentSecurityPolicy(nonce, origins.dashboardOrigin),
    },
  });
}

function contentSecurityPolicy(nonce: string, origin: string): string {
  const socket = origin.replace(/^http/, "ws");
  const sockets = `${socket}/relay/ ${socket}/api/sessions/`;
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `style-src 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    `connect-src ${origin}/api/ ${origin}${DASHBOARD_ASSETS_PATH}/ ${origin}/client/v1/ ${sockets}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "worker-src 'self'",
    "object-src 'none'",
    "frame-src 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join("; ");
}
