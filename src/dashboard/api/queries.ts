/**
 * Queries and changes through TanStack Query. One key per route and call, so that news about a kind of
 * resource makes only its queries stale.
 *
 * @module
 */
import {
  type QueryClient,
  queryOptions,
  type UseMutationResult,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { type Answer, type ApiCall, type ApiError, callApi, type RouteName } from "./client.ts";

/** The kind of a route's resource: `peers` for `/api/peers/:id/…`. */
export function kindOf(route: string): string {
  return route.split("/")[2] ?? "";
}

/** Query options for reading one route. */
export function reading<R extends RouteName>(route: R, call: Omit<ApiCall<R>, "signal"> = {}) {
  return queryOptions<Answer<R>, ApiError>({
    queryKey: [kindOf(route), route, call],
    queryFn: ({ signal }) => callApi(route, { ...call, signal } as ApiCall<R>),
  });
}

/** A change through one route. Afterwards the queries that may show it are refetched. */
export function useChange<R extends RouteName>(
  route: R,
  also: readonly string[] = [],
): UseMutationResult<Answer<R>, ApiError, Omit<ApiCall<R>, "signal">> {
  const client = useQueryClient();
  return useMutation<Answer<R>, ApiError, Omit<ApiCall<R>, "signal">>({
    mutationFn: (call) => callApi(route, call),
    onSuccess: () => makeStale(client, [kindOf(route), ...also]),
  });
}

/** Refetches every query of these kinds that is on screen. */
export async function makeStale(client: QueryClient, kinds: readonly string[]): Promise<void> {
  await Promise.all(kinds.map((kind) => client.invalidateQueries({ queryKey: [kind] })));
}
