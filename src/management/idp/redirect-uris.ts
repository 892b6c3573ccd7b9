/**
 * The redirect URIs that have to be registered at an external provider.
 *
 * @module
 */
import type { OidcSettings } from "../contracts/context.ts";
import { HOSTED_CALLBACK_PATH } from "./provider.ts";

export interface RedirectUri {
  /** To register as it stands. */
  readonly uri: string;
  /** What comes back there. */
  readonly use: string;
  /** The client for which it is registered. */
  readonly clientId: string;
}

/** All of them, in the order of their weight. */
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
