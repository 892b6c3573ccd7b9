/**
 * The REST API under /api: one table of routes. Each request is proven, parsed and checked against the
 * route's roles before its handler runs.
 *
 * Accepts API tokens and the sessions of our own pages, never ID tokens. Read `ADMIN_ROUTES`, then
 * `access.ts`.
 *
 * @module
 */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { ZodObject, ZodType } from "zod";
import { isQfError, QfError } from "../../../base/errors.ts";
import { newId } from "../../../base/random.ts";
import { NoQuery, type SaveQuery } from "../../../wire/admin-query.ts";
import { fieldName } from "../../../wire/issues.ts";
import type { ChangeWriter } from "../../db/store.ts";
import { noteAsked } from "../../db/tables/web-sessions.ts";
import { withState } from "../../policy-files/keep-state.ts";
import { withTests } from "../../policy-files/saved-tests.ts";
import { parseStrict, parseTolerant, readJson } from "../body.ts";
import { answerFailure, createErrorHandler } from "../errors.ts";
import { answerHeaders, guardOrigin } from "../guards.ts";
import { absentRoutes } from "./absent-routes.ts";
import { authenticate, type Principal, recheck, requireFreshSignIn, requireRole } from "./access.ts";
import { accessRequestRoutes } from "./access-requests-routes.ts";
import { accountRoutes } from "./accounts-routes.ts";
import { CONFIRM_HEADER, type Confirmable, confirmableOf } from "./confirmation.ts";
import { allowOrigins, answerOptions } from "./cors.ts";
import { eventRoutes } from "./events-routes.ts";
import { takesFreshSignIn } from "./fresh-sign-ins.ts";
import { groupRoutes } from "./groups-routes.ts";
import { logRoutes } from "./log-routes.ts";
import { myAccessRoutes } from "./my-access-routes.ts";
import { nameRoutes } from "./names-routes.ts";
import { describeApi, OPENAPI_PATH } from "./openapi.ts";
import { outletRoutes } from "./outlets-routes.ts";
import { packedJson } from "./packed-json.ts";
import { announce, type Listing } from "./paging.ts";
import { passwordRoutes } from "./password-routes.ts";
import { peerRoutes } from "./peers-routes.ts";
import { policyRoutes } from "./policies-routes.ts";
import { policyAccessRoutes } from "./policy-access-routes.ts";
import { policyFileRoutes } from "./policy-file-routes.ts";
import { policyHistoryRoutes } from "./policy-history-routes.ts";
import { postureRoutes } from "./posture-routes.ts";
import { recordingRoutes } from "./recordings-routes.ts";
import { withFloors } from "./required-floors.ts";
import { rolloutRoutes } from "./rollouts-routes.ts";
import type { AdminContext, Call, Route } from "./route.ts";
import { sessionRoutes } from "./sessions-routes.ts";
import { setupKeyRoutes } from "./setup-keys-routes.ts";
import { tokenRoutes } from "./tokens-routes.ts";
import { userRoutes } from "./users-routes.ts";
import { webSessionRoutes } from "./web-sessions-routes.ts";

/** Most names in one `X-Ignored` header. */
const IGNORED_MAX = 16;

/** Every route. The server, the API document and the tests use this table. */
export const ADMIN_ROUTES: readonly Route[] = [
  ...accountRoutes,
  ...userRoutes,
  ...passwordRoutes,
  ...tokenRoutes,
  ...webSessionRoutes,
  ...peerRoutes,
  ...nameRoutes,
  ...setupKeyRoutes,
  ...groupRoutes,
  ...policyRoutes,
  ...policyFileRoutes,
  ...policyHistoryRoutes,
  ...policyAccessRoutes,
  ...postureRoutes,
  ...sessionRoutes,
  ...accessRequestRoutes,
  ...eventRoutes,
  ...logRoutes,
  ...outletRoutes,
  ...recordingRoutes,
  ...rolloutRoutes,
  ...myAccessRoutes,
  ...absentRoutes,
];

/** Serves /api. Mount it at the root. */
export function createAdminApp(ctx: AdminContext): Hono {
  const app = new Hono();
  app.onError(createErrorHandler(ctx.log));
  app.notFound((c) => answerFailure(c, new QfError("ERR_NOT_FOUND", "path not found")));
  app.use("/api/*", numberRequests, answerHeaders, allowOrigins(ctx.corsOrigins));
  app.use("/api/*", guardOrigin(ctx.origin, ctx.corsOrigins, ctx.dashboardOrigin));
  // Built on demand: converting every schema takes longer than the rest of the start, and few clients read
  // it.
  let description: ReturnType<typeof describeApi> | undefined;
  app.get(OPENAPI_PATH, (c) => {
    description ??= describeApi(ADMIN_ROUTES, ctx.origin);
    return c.json(description);
  });
  for (const route of ADMIN_ROUTES) app.on(route.method, route.path, (c) => serveRoute(ctx, route, c));
  for (const path of new Set([OPENAPI_PATH, ...ADMIN_ROUTES.map((route) => route.path)])) {
    const served = ADMIN_ROUTES.filter((route) => route.path === path);
    const methods = path === OPENAPI_PATH ? ["GET"] : served.map((one) => one.method.toUpperCase());
    const allowed = [...methods, "OPTIONS"];
    app.options(path, (c) => answerOptions(c, allowed, ctx.corsOrigins));
    app.all(path, (c) => {
      c.header("Allow", allowed.join(", "));
      return answerFailure(c, new QfError("ERR_METHOD_NOT_ALLOWED", `this path takes ${allowed.join(", ")}`));
    });
  }
  return app;
}

async function serveRoute(ctx: AdminContext, route: Route, c: Context): Promise<Response> {
  const principal = await authenticate(ctx.store, {
    header: (name) => c.req.header(name),
    origin: ctx.dashboardOrigin ?? ctx.origin,
  });
  requireRole(principal.user.role, route.access);
  const asked = queryOf(c);
  const schema = route.query ?? NoQuery;
  const query = parseStrict(schema, singleQuery(asked, schema));
  const ignored = Object.keys(asked).filter((name) => !Object.hasOwn(query as object, name));
  const body = route.body === undefined ? undefined : parseTolerant(route.body, await readJson(c));
  const names = [...(body?.ignored ?? []), ...ignored.map((name) => `?${fieldName(name)}`)];
  if (names.length > 0) c.header("X-Ignored", names.slice(0, IGNORED_MAX).join(", "));
  const call = callOf(ctx, route, c, { principal, body: body?.data, query });
  const answer = await route.handle(call);
  for (const [name, value] of Object.entries(route.headers?.(call) ?? {})) c.header(name, value);
  if ("one" in route.answer) return c.json(answer as object);
  const list = answer as Listing<object>;
  announce(c, list, ctx.origin);
  return await packedJson(c, list.items);
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
    change: async (options, fn) => {
      let confirmable: Confirmable | null = null;
      try {
        return await ctx.store.change({ ...options, accountId, initiator }, async (tx) => {
          const actor = await recheck(tx, principal, route.access);
          confirmable = null;
          const askFreshSignIn = async () => {
            confirmable = toConfirm(route, c, parsed.body);
            await requireFreshSignIn(tx, principal, confirmable.digest);
          };
          const make = () => guarded(tx, { route, call }, () => fn(tx, actor));
          if (await takesFreshSignIn(tx, route, call)) {
            await askFreshSignIn();
            return await make();
          }
          // What groups require stands in maps.
          if (options.affectsMaps !== true) return await make();
          return await withFloors(tx, { accountId, onLess: askFreshSignIn }, make);
        });
      } catch (error) {
        if (isQfError(error, "ERR_REAUTH_REQUIRED")) await noteRefused(ctx, c, { principal, confirmable });
        throw error;
      }
    },
  };
  return call as Call<never, never>;
}

/** Runs the change, then the account's policy tests on its result, and stores what became of the policies. */
async function guarded<T>(
  tx: ChangeWriter,
  { route, call }: { readonly route: Route; readonly call: Call },
  change: () => Promise<T>,
): Promise<T> {
  const { ctx, accountId, principal, query, body } = call;
  const { tests } = route;
  const tested = (): Promise<T> => {
    if (tests === undefined) return change();
    const force = (query as SaveQuery).force === "true";
    return withTests(tx, { ctx, accountId, force, onlyNewFailures: tests === "new" }, change);
  };
  const { id, name, email } = principal.user;
  const via = principal.credential.kind === "session" ? "dashboard" : "api";
  const { reason = "", override } = (body ?? {}) as { readonly reason?: string; readonly override?: boolean };
  const maker = { userId: id, userName: email || name, via, reason } as const;
  // Only /api/policy/apply has an `override`.
  const isBySource = principal.user.isServiceUser || override === true;
  return await withState(tx, { ctx, accountId, maker, isBySource }, tested);
}

function toConfirm(route: Route, c: Context, body: unknown): Confirmable {
  const { pathname, search } = new URL(c.req.url);
  return confirmableOf({ method: c.req.method, path: pathname + search, summary: route.summary, body });
}

/** Stores what this session asked for, which the confirmation page then shows. */
async function noteRefused(
  { store }: AdminContext,
  c: Context,
  refused: { readonly principal: Principal; readonly confirmable: Confirmable | null },
): Promise<void> {
  const { principal, confirmable } = refused;
  if (confirmable === null || principal.credential.kind !== "session") return;
  await store.transaction((tx) => noteAsked(tx, principal.credential.id, confirmable));
  c.header(CONFIRM_HEADER, confirmable.digest);
}

function queryOf(c: Context): Record<string, string[]> {
  return c.req.queries();
}

/** Query parameters of `schema`. Repeats are refused, since another reader could read them differently. */
function singleQuery(asked: Record<string, string[]>, schema: ZodType): Record<string, string> {
  const shape = (schema as ZodObject).shape;
  const single: Record<string, string> = {};
  for (const [name, values] of Object.entries(asked)) {
    if (!Object.hasOwn(shape, name)) continue;
    if (values.length !== 1) throw new QfError("ERR_BAD_REQUEST", `the parameter ${name} was given twice`);
    single[name] = values[0] ?? "";
  }
  return single;
}

/** The id that ties a log line to its answer. */
const numberRequests: MiddlewareHandler = async function numberRequest(c, next) {
  c.set("requestId", newId());
  await next();
  c.header("X-Request-Id", c.get("requestId"));
};
