/**
 * Guards that every request passes first: which host names we answer to, and whose pages may change things.
 *
 * @module
 */
import { isIP } from "node:net";
import type { MiddlewareHandler } from "hono";
import { QfError } from "../../base/errors.ts";

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses requests under a name that is not ours (DNS rebinding). Refuses requests that may change something
 * when the browser sends them for a page of an origin that is neither ours nor one of `others`.
 */
export function guardOrigin(
  origin: string,
  others: ReadonlySet<string>,
  dashboardOrigin = origin,
): MiddlewareHandler {
  const own = new URL(origin);
  const dashboard = new URL(dashboardOrigin);
  return async function guardOriginOfRequest(c, next) {
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    if (!isOurName(host, own) && host.toLowerCase() !== dashboard.host) {
      throw new QfError("ERR_BAD_REQUEST", "this server does not answer to that name", {
        hint: `use ${own.origin}`,
      });
    }
    const from = c.req.header("origin");
    const isOurs = from === own.origin || from === dashboard.origin;
    if (!SAFE_METHODS.has(c.req.method) && from !== undefined && !isOurs && !others.has(from)) {
      throw new QfError("ERR_FORBIDDEN", "a page of another origin may not do this");
    }
    await next();
  };
}

/** Our public name, an IP address (which DNS cannot rebind), or `localhost`. */
function isOurName(host: string, own: URL): boolean {
  if (host.toLowerCase() === own.host) return true;
  const name = host.replace(/:\d{1,5}$/, "").toLowerCase();
  return name === "localhost" || isIP(name.replace(/^\[|\]$/g, "")) !== 0;
}

/** Responses hold secrets that are shown once, so they are never cached and their type is never sniffed. */
export const answerHeaders: MiddlewareHandler = async function setAnswerHeaders(c, next) {
  await next();
  c.header("Cache-Control", "no-store");
  c.header("X-Content-Type-Options", "nosniff");
  c.header("Referrer-Policy", "no-referrer");
};
