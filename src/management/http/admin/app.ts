/**
 * The REST API under /api: one table of routes, each proven, parsed, and judged by role before it runs.
 *
 * Knows API tokens only: no cookies, no ID tokens. Read `ADMIN_ROUTES`, then `access.ts`.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { QfError } from "../../../base/errors.ts";
import { NoQuery } from "../../../wire/admin-query.ts";
import { parseStrict, readBody } from "../body.ts";
import { answerFailure, createErrorHandler } from "../errors.ts";
import { answerHeaders, guardOrigin } from "../guards.ts";
import { authenticate, type Principal, recheck, requireRole } from "./access.ts";
import { accountRoutes } from "./accounts-routes.ts";
import { eventRoutes } from "./events-routes.ts";
import { groupRoutes } from "./groups-routes.ts";
import { nameRoutes } from "./names-routes.ts";
import { describeApi } from "./openapi.ts";
import { peerRoutes } from "./peers-routes.ts";
import { policyRoutes } from "./policies-routes.ts";
import { postureRoutes } from "./posture-routes.ts";
import type { AdminContext, Call, Route } from "./route.ts";
import { setupKeyRoutes } from "./setup-keys-routes.ts";
import { tokenRoutes } from "./tokens-routes.ts";
import { userRoutes } from "./users-routes.ts";

/** All of them: what is served, documented and tested. */
export const ADMIN_ROUTES: readonly Route[] = [
  ...accountRoutes,
  ...userRoutes,
  ...tokenRoutes,
  ...peerRoutes,
  ...nameRoutes,
  ...setupKeyRoutes,
  ...groupRoutes,
  ...policyRoutes,
  ...postureRoutes,
  ...eventRoutes,
];

/** Serves /api. The caller mounts it at the root. */
export function createAdminApp(ctx: AdminContext): Hono {
  const app = new Hono();
  app.onError(createErrorHandler(ctx.log));
  app.notFound((c) => answerFailure(c, new QfError("ERR_NOT_FOUND", "there is nothing at this path")));
  app.use("/api/*", answerHeaders, guardOrigin(ctx.origin));
  const description = describeApi(ADMIN_ROUTES, ctx.origin);
  app.get("/api/openapi.json", (c) => c.json(description));
  for (const route of ADMIN_ROUTES) app.on(route.method, route.path, (c) => serveRoute(ctx, route, c));
  for (const path of new Set(ADMIN_ROUTES.map((route) => route.path))) {
    const allowed = ADMIN_ROUTES.filter((route) => route.path === path).map((one) =>
      one.method.toUpperCase(),
    );
    app.all(path, (c) => {
      c.header("Allow", allowed.join(", "));
      return answerFailure(c, new QfError("ERR_METHOD_NOT_ALLOWED", `this path takes ${allowed.join(", ")}`));
    });
  }
  return app;
}

async function serveRoute(ctx: AdminContext, route: Route, c: Context): Promise<Response> {
  const principal = await authenticate(ctx.store, c.req.header("authorization"));
  requireRole(principal.user.role, route.access);
  const query = parseStrict(route.query ?? NoQuery, singleQuery(c));
  const body = route.body === undefined ? undefined : await readBody(c, route.body);
  const answer = await route.handle(callOf(ctx, route, c, { principal, body, query }));
  return c.json(answer as object);
}

function callOf(
  ctx: AdminContext,
  route: Route,
  c: Context,
  parsed: { principal: Principal; body: unknown; query: unknown },
): Call<never, never> {
  const { principal } = parsed;
  const { accountId, id, name, email } = principal.user;
  const initiator = { id, name, email };
  const call: Call = {
    ctx,
    accountId,
    principal,
    user: principal.user,
    body: parsed.body,
    query: parsed.query,
    signal: c.req.raw.signal,
    param: (key) => c.req.param(key) ?? "",
    read: (fn) => ctx.store.read(fn),
    change: (options, fn) =>
      ctx.store.change({ ...options, accountId, initiator }, async (tx) =>
        fn(tx, await recheck(tx, principal, route.access)),
      ),
  };
  return call as Call<never, never>;
}

/** Each parameter once; a repeated one could be read differently by whoever looks next. */
function singleQuery(c: Context): Record<string, string> {
  const single: Record<string, string> = {};
  for (const [name, values] of Object.entries(c.req.queries())) {
    if (values.length !== 1) throw new QfError("ERR_BAD_REQUEST", "a query parameter was given twice");
    single[name] = values[0] ?? "";
  }
  return single;
}
