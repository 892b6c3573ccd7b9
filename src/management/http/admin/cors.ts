/**
 * Pages of other origins that may call the API: those named by `--api-cors-origin`, by default none.
 *
 * They send a token of their own; a cookie is never accepted from them.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";

/** How long a browser caches a preflight answer, in seconds. */
const PREFLIGHT_SECONDS = 600;
const EXPOSED = "Link, X-Ignored, X-Request-Id, X-Seen-Seq, X-Total-Count";

/** Marks answers, including refusals, as readable for pages of these origins. */
export function allowOrigins(origins: ReadonlySet<string>): MiddlewareHandler {
  return async function allowOriginOfRequest(c, next) {
    await next();
    if (origins.size === 0) return;
    c.header("Vary", "Origin", { append: true });
    const from = c.req.header("origin");
    if (from === undefined || !origins.has(from)) return;
    c.header("Access-Control-Allow-Origin", from);
    c.header("Access-Control-Expose-Headers", EXPOSED);
  };
}

/** Answers OPTIONS with the methods of the path, and a preflight with what may be sent. */
export function answerOptions(
  c: Context,
  methods: readonly string[],
  origins: ReadonlySet<string>,
): Response {
  c.header("Allow", methods.join(", "));
  if (origins.has(c.req.header("origin") ?? "")) {
    c.header("Access-Control-Allow-Methods", methods.join(", "));
    c.header("Access-Control-Allow-Headers", "Authorization, Content-Type");
    c.header("Access-Control-Max-Age", String(PREFLIGHT_SECONDS));
  }
  return c.body(null, 204);
}
