/**
 * Translates errors to HTTP answers: a status, a code and a line. Nothing else does.
 *
 * An unexpected error is logged, and the answer says only that something failed here.
 *
 * @module
 */
import type { Context, ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { FAILURES, type FailureCode, isQfError, QfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { ApiFailure } from "../../wire/client-api.ts";

const CODE_OF_STATUS: Readonly<Record<number, FailureCode>> = {
  400: "ERR_BAD_REQUEST",
  401: "ERR_UNAUTHENTICATED",
  403: "ERR_FORBIDDEN",
  404: "ERR_NOT_FOUND",
  405: "ERR_METHOD_NOT_ALLOWED",
  413: "ERR_TOO_LARGE",
  429: "ERR_TOO_MANY",
};

/** Error handler for `app.onError`. */
export function createErrorHandler(log: Log): ErrorHandler {
  return (error, c) => answerFailure(c, asFailure(error, c, log));
}

/** The answer to a failure, in NetBird's shape with our code and hint added. */
export function answerFailure(c: Context, failure: QfError): Response {
  const status = FAILURES[failure.code].httpStatus;
  const body: ApiFailure = {
    code: status,
    message: failure.message,
    error: failure.code,
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
  };
  if (status === 401) c.header("WWW-Authenticate", 'Bearer realm="qufabric"');
  return c.json(body, status as ContentfulStatusCode);
}

function asFailure(error: unknown, c: Context, log: Log): QfError {
  if (error instanceof HTTPException) {
    return new QfError(CODE_OF_STATUS[error.status] ?? "ERR_BAD_REQUEST", "the request cannot be answered");
  }
  if (isQfError(error) && FAILURES[error.code].httpStatus !== 500) return error;
  const code = isQfError(error) ? error.code : "ERR_INTERNAL";
  const requestId: unknown = c.get("requestId");
  const about = { method: c.req.method, path: routeOf(c), code };
  log.error("request failed", typeof requestId === "string" ? { ...about, requestId } : about, error);
  return new QfError("ERR_INTERNAL", "the server failed to do this", { hint: "its log says why" });
}

/** The pattern of the route instead of the path, which may hold something that must not be logged. */
function routeOf(c: Context): string {
  return c.req.routePath;
}
