/**
 * The filter of a list in the address of its page, so that a filtered list can be kept and sent to others.
 *
 * @module
 */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { type ListTerms, listTermsOf } from "../terms/list-terms.ts";

type Put = (terms: { readonly [T in keyof ListTerms]?: string | undefined }) => void;

/** The terms, and a way to change some of them; undefined or an empty text takes one away. */
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
