/**
 * Renders the data of a query: a skeleton while it loads, and the failure with a retry if it fails.
 *
 * @module
 */
import type { ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { FailureNotice } from "./notice.tsx";
import { ListSkeleton } from "./skeleton.tsx";

/** The state of a query, or of several that are shown together. */
export interface Read<T> {
  readonly data: T | undefined;
  readonly error: Error | null;
  readonly refetch: () => Promise<unknown>;
}

interface LoadedProps<T> {
  readonly query: Read<T>;
  readonly rows?: number;
  readonly children: (data: T) => ReactNode;
}

/** Loaded data stays while it is read again, even if that fails, unless the API answers 403 or 404. */
export function Loaded<T>({ query, rows, children }: LoadedProps<T>) {
  if (query.data !== undefined && !isRefused(query.error)) return children(query.data);
  if (query.error !== null) return <FailureNotice error={query.error} retry={() => void query.refetch()} />;
  return <ListSkeleton {...(rows === undefined ? {} : { rows })} />;
}

type DataOf<Q extends readonly Read<unknown>[]> = {
  readonly [K in keyof Q]: Exclude<Q[K]["data"], undefined>;
};

/** Joins several queries into one, for content that would be wrong if one were missing. */
export function together<const Q extends readonly Read<unknown>[]>(...queries: Q): Read<DataOf<Q>> {
  const isWhole = queries.every(({ data }) => data !== undefined);
  const errors = queries.flatMap(({ error }) => error ?? []);
  return {
    data: isWhole ? (queries.map(({ data }) => data) as unknown as DataOf<Q>) : undefined,
    error: errors.find(isRefused) ?? errors[0] ?? null,
    refetch: () => Promise.all(queries.map(({ refetch }) => refetch())),
  };
}

function isRefused(error: Error | null): boolean {
  return error instanceof ApiError && (error.status === 403 || error.status === 404);
}
