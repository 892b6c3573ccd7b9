/**
 * Reading and changing by TanStack Query: one key per route and call, so that news of a kind of thing makes
 * exactly its queries stale.
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

/** `/api/peers/:id/…` is of kind `peers`. */
export function kindOf(route: string): string {
  return route.split("/")[2] ?? "";
}

/** Options of a query that reads one route. */
export function reading<R extends RouteName>(route: R, call: Omit<ApiCall<R>, "signal"> = {}) {
  return queryOptions<Answer<R>, ApiError>({
    queryKey: [kindOf(route), route, call],
    queryFn: ({ signal }) => callApi(route, { ...call, signal } as ApiCall<R>),
  });
}

/** A change by one route; afterwards what may show it is read again. */
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

/** Whatever shows one of these kinds is read again, if it is on screen. */
export async function makeStale(client: QueryClient, kinds: readonly string[]): Promise<void> {
  await Promise.all(kinds.map((kind) => client.invalidateQueries({ queryKey: [kind] })));
}
