/**
 * The redirect URIs to register at an external provider.
 *
 * @module
 */
import type { OidcSettings } from "../contracts/context.ts";
import { HOSTED_CALLBACK_PATH } from "./provider.ts";

export interface RedirectUri {
  /** To be registered exactly like this. */
  readonly uri: string;
  /** What it is used for. */
  readonly use: string;
  /** The client to register it for. */
  readonly clientId: string;
}

/** All redirect URIs, the most important first. */
export function redirectUris(
  oidc: Pick<OidcSettings, "clientId" | "webClientId" | "loopback" | "redirectPort" | "loopbackHost">,
  origin: string,
  dashboardOrigin = origin,
): RedirectUri[] {
  const hosted = {
    uri: `${origin}${HOSTED_CALLBACK_PATH}`,
    use: "management's own sign-in pages",
    clientId: oidc.webClientId,
  };
  const own = { ...hosted, uri: `${dashboardOrigin}${HOSTED_CALLBACK_PATH}`, use: "the dashboard" };
  const pages = dashboardOrigin === origin ? [hosted] : [hosted, own];
  if (!oidc.loopback) return pages;
  const { redirectPort: port, loopbackHost: host, clientId } = oidc;
  const use = port === 0 ? "people's own browsers, on any port" : "people's own browsers";
  return [...pages, { uri: `http://${host}${port === 0 ? "" : `:${port}`}/callback`, use, clientId }];
}
