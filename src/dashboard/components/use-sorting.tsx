/**
 * The sorting of a table, kept by itself or in the address.
 *
 * @module
 */
import type { SortingState } from "@tanstack/react-table";
import { useMemo, useState } from "react";
import { sortTermOf, sortText } from "../terms/sort-term.ts";

/** The sorting in the address. */
export interface KeptSorting {
  readonly text: string | undefined;
  readonly onText: (text: string | undefined) => void;
}

interface SortableColumn {
  readonly id: string;
  readonly sortBy?: unknown;
}

export function useSorting(keptAt: KeptSorting | undefined, columns: readonly SortableColumn[]) {
  const [own, setOwn] = useState<SortingState>([]);
  const sortable = columns.filter(({ sortBy }) => sortBy !== undefined);
  const term = sortTermOf(
    keptAt?.text,
    sortable.map((column) => column.id),
  );
  const [id, desc] = [term?.id, term?.desc === true];
  const kept = useMemo<SortingState>(() => (id === undefined ? [] : [{ id, desc }]), [id, desc]);
  if (keptAt === undefined) return { sorting: own, setSorting: setOwn };
  return { sorting: kept, setSorting: (next: SortingState) => keptAt.onText(sortText(next[0])) };
}
