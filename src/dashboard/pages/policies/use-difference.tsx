/**
 * Asks for the difference that an edited file makes, once typing stops, and applies the file that was shown.
 *
 * @module
 */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type Answer, type ApiError, callApi } from "../../api/client.ts";
import { makeStale, reading } from "../../api/queries.ts";
import type { File } from "./policy-draft.ts";
import { overrideFields } from "./policy-override.ts";

export type Difference = Answer<"POST /api/policy/diff">;

const TYPING_MS = 300;

export interface AskedDifference {
  /** The difference of exactly this file. Undefined while it is not known. */
  readonly data: Difference | undefined;
  /** The last known difference, shown while typing so that nothing jumps. */
  readonly shown: Difference | undefined;
  readonly error: ApiError | null;
  readonly refetch: () => Promise<unknown>;
}

/** A null file asks nothing. */
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
  /** Called once the file is in force, before anything is read again. */
  readonly onDone: () => void;
  /** Whether a failure is also thrown, besides being set as `error`. */
  readonly isThrown?: boolean;
}

export interface Apply {
  readonly run: (file: File, diff: Difference, options: ApplyOptions) => Promise<void>;
  readonly error: unknown;
  readonly isPending: boolean;
}

/** Applies the file whose difference was shown, then reads everything again that it affects. */
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
        body: { file, version, digest, ...(force ? { force } : {}), ...overrideFields() },
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

/** The policy file as it is now. */
export function usePolicyFile() {
  return useQuery({ ...reading("GET /api/policy/file"), staleTime: 0 });
}
