/**
 * The data of a query, once it is there: a skeleton before, the failure with a way to try again otherwise.
 *
 * @module
 */
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { FailureNotice } from "./notice.tsx";
import { ListSkeleton } from "./skeleton.tsx";

interface LoadedProps<T> {
  readonly query: UseQueryResult<T, Error>;
  readonly rows?: number;
  readonly children: (data: T) => ReactNode;
}

/** Data that is there stays while it is read again, also while that fails; not once it is refused. */
export function Loaded<T>({ query, rows, children }: LoadedProps<T>) {
  if (query.data !== undefined && !isRefused(query.error)) return children(query.data);
  if (query.isError) return <FailureNotice error={query.error} retry={() => void query.refetch()} />;
  return <ListSkeleton {...(rows === undefined ? {} : { rows })} />;
}

function isRefused(error: Error | null): boolean {
  return error instanceof ApiError && (error.status === 403 || error.status === 404);
}
