/**
 * Exempts loopback addresses from HTTP proxies. We allow http:// for loopback addresses only, because it is
 * not encrypted; a proxy elsewhere would see the tokens in the clear.
 *
 * @module
 */
const PROXY_VARIABLES = ["HTTP_PROXY", "http_proxy"] as const;
const LOOPBACK = "localhost,127.0.0.0/8,::1";

/** Adds loopback addresses to NO_PROXY if `environment` sets a proxy for http://. */
export function keepLoopbackDirect(environment: Record<string, string | undefined>): void {
  if (!PROXY_VARIABLES.some((name) => environment[name])) return;
  const lists = [environment.NO_PROXY, environment.no_proxy].filter((list) => list);
  const all = [...lists, LOOPBACK].join(",");
  environment.NO_PROXY = all;
  environment.no_proxy = all;
}
