/**
 * The difference that an edited file makes, asked for once typing stops, and applying what was shown.
 *
 * @module
 */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type Answer, type ApiError, callApi } from "../../api/client.ts";
import { makeStale, reading } from "../../api/queries.ts";
import type { File } from "./policy-draft.ts";

export type Difference = Answer<"POST /api/policy/diff">;

const TYPING_MS = 300;

export interface AskedDifference {
  /** Of exactly this file. Undefined: it is not known yet. */
  readonly data: Difference | undefined;
  /** The last one that was known, so that nothing jumps while one types. */
  readonly shown: Difference | undefined;
  readonly error: ApiError | null;
  readonly refetch: () => Promise<unknown>;
}

/** Null: nothing to ask. */
export function useDifference(file: File | null): AskedDifference {
  const settled = useSettled(file === null ? null : JSON.stringify(file));
  const query = useQuery<Difference, ApiError>({
    queryKey: ["policy", "POST /api/policy/diff", settled],
    queryFn: ({ signal }) =>
      callApi("POST /api/policy/diff", { body: { file: JSON.parse(settled ?? "{}") }, signal }),
    enabled: settled !== null,
    staleTime: 0,
    gcTime: 60_000,
    retry: false,
    placeholderData: keepPreviousData,
  });
  const isOfThis = file !== null && settled === JSON.stringify(file);
  return {
    data: isOfThis && !query.isPlaceholderData ? query.data : undefined,
    shown: file === null || query.isError ? undefined : query.data,
    error: isOfThis ? query.error : null,
    refetch: query.refetch,
  };
}

function useSettled(value: string | null): string | null {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPING_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

interface ApplyOptions {
  readonly force?: boolean;
  /** Once it is in force, before anything is read again. */
  readonly onDone: () => void;
  /** A failure is thrown as well as told. */
  readonly isThrown?: boolean;
}

export interface Apply {
  readonly run: (file: File, diff: Difference, options: ApplyOptions) => Promise<void>;
  readonly error: unknown;
  readonly isPending: boolean;
}

/** Applies the file whose difference was shown. What moved meanwhile is read again. */
export function useApply(): Apply {
  const client = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const [isPending, setIsPending] = useState(false);
  const run: Apply["run"] = async (
    file,
    { version, digest },
    { force = false, onDone, isThrown = false },
  ) => {
    setIsPending(true);
    setError(null);
    try {
      await callApi("POST /api/policy/apply", {
        body: { file, version, digest, ...(force ? { force } : {}) },
      });
      onDone();
    } catch (cause) {
      setError(cause);
      if (isThrown) throw cause;
    } finally {
      setIsPending(false);
      void makeStale(client, ["policy", "policies", "groups", "my"]);
    }
  };
  return { run, error, isPending };
}

/** The file as it is now. */
export function usePolicyFile() {
  return useQuery({ ...reading("GET /api/policy/file"), staleTime: 0 });
}
