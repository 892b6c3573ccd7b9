/**
 * The column that a list is sorted by, in the address: `name`, or `-name` for the other way round.
 *
 * @module
 */
export interface SortTerm {
  readonly id: string;
  readonly desc: boolean;
}

/** Null: as the list comes, also for a column that is not there. */
export function sortTermOf(text: string | undefined, ids: readonly string[]): SortTerm | null {
  if (text === undefined) return null;
  const desc = text.startsWith("-");
  const id = desc ? text.slice(1) : text;
  return ids.includes(id) ? { id, desc } : null;
}

export function sortText(sort: SortTerm | undefined): string | undefined {
  return sort === undefined ? undefined : `${sort.desc ? "-" : ""}${sort.id}`;
}
