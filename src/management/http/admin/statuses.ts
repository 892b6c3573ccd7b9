/**
 * The statuses that a route answers: derived from its shape, plus those in `also`.
 *
 * @module
 */
import { NoQuery } from "../../../wire/admin-query.ts";
import type { Route } from "./route.ts";

/** Every status that the API answers, with its description. */
export const STATUSES: Readonly<Record<number, string>> = {
  200: "Done",
  400: "Not a request that can be read, or, of a deletion, something else refers to it",
  401: "No valid API token, and no session of the dashboard",
  403: "The caller's role may not do this",
  404: "Not found",
  405: "The path does not take this method",
  409: "Something that is there already stands against it",
  412: "This server is not set up for it",
  413: "The body is too large",
  421: "The request is for a name that is not this server's",
  422: "A field does not mean anything, or not what it may mean here",
  429: "Too many at once",
  500: "The server failed; its log says why, under the answer's X-Request-Id",
  503: "The server is starting, or its database is not there",
};

/** In ascending order. */
export function statusesOf(route: Route): number[] {
  const takesBody = route.body !== undefined;
  const takesQuery = route.query !== undefined && route.query !== NoQuery;
  return [
    ...new Set([
      ...[200, 400, 401, 403, 421, 500, 503],
      ...(route.path.includes(":") ? [404] : []),
      ...(takesBody ? [413, 422] : []),
      ...(takesQuery ? [422] : []),
      ...(route.also ?? []),
    ]),
  ].sort((a, b) => a - b);
}
