/**
 * The filter of a list in the page's URL, so that a filtered list can be bookmarked and shared.
 *
 * @module
 */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { type ListTerms, listTermsOf } from "../terms/list-terms.ts";

type Put = (terms: { readonly [T in keyof ListTerms]?: string | undefined }) => void;

/** The terms, and a function that changes some of them. Undefined or an empty text removes one. */
export function useListTerms(): readonly [ListTerms, Put] {
  const terms = listTermsOf(useSearch({ strict: false }));
  const navigate = useNavigate();
  const put = useCallback<Put>(
    (change) => {
      const search = (old: Record<string, unknown>) => listTermsOf({ ...old, ...change });
      void navigate({ to: ".", search: search as never, replace: true });
    },
    [navigate],
  );
  return [terms, put];
}
