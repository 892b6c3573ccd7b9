/**
 * The page's one query client: what was read, how long it stays fresh, and reading ahead of the page's code.
 *
 * @module
 */
import { QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError, type RouteName } from "../api/client.ts";
import { reading } from "../api/queries.ts";
import { signInAgain } from "../browser/sign-in.ts";

const RETRIES = 2;

/** Whether a failed read is repeated. Refusals of the API are final. */
const retry = (failures: number, error: Error): boolean =>
  failures < RETRIES && !(error instanceof ApiError && error.status > 0);

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // On the first load there is nothing to lose, so go straight to the sign-in.
      if (
        error instanceof ApiError &&
        error.status === 401 &&
        query.queryKey[1] === "GET /api/users/current"
      ) {
        signInAgain();
      }
    },
  }),
  defaultOptions: { queries: { staleTime: 30_000, retry, refetchOnWindowFocus: false } },
});

/**
 * Begins to read what a page shows while its code is still loading. The page's own query joins in. What has
 * been read before is left to that query.
 */
export function readAhead(...routes: readonly RouteName[]): void {
  for (const route of routes) {
    void queryClient.prefetchQuery({ ...reading(route), retry, staleTime: Number.POSITIVE_INFINITY });
  }
}
