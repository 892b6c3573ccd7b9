/**
 * Views of a list: chosen columns, and saved filters by name. They are kept in this browser; a link shares
 * a filter with others.
 *
 * @module
 */
import { keep, kept } from "../browser/kept.ts";
import { parseStored } from "../browser/text-store.ts";

/** A saved filter: the address's search terms. */
export interface SavedView {
  readonly name: string;
  readonly terms: Readonly<Record<string, string>>;
}

export interface ListView {
  /** Columns that were shown or hidden by hand, by id. Others go by the width of the window. */
  readonly columns: Readonly<Record<string, boolean>>;
  /** In order of their names. */
  readonly saved: readonly SavedView[];
}

export const VIEWS_MAX = 20;
export const VIEW_NAME_MAX = 60;

/** The view of the list with this label. What is damaged counts as nothing. */
export function readListView(list: string): ListView {
  return parseListView(kept(keyOf(list)));
}

export function writeListView(list: string, view: ListView): void {
  keep(keyOf(list), JSON.stringify(view));
}

function keyOf(list: string): string {
  return `qf-list:${list}`;
}

export function parseListView(text: string | null): ListView {
  const parsed = recordOf(parseStored(text));
  const columns = Object.entries(recordOf(parsed.columns)).filter(
    (entry): entry is [string, boolean] => typeof entry[1] === "boolean",
  );
  const saved = Array.isArray(parsed.saved) ? parsed.saved.flatMap(savedOf) : [];
  return { columns: Object.fromEntries(columns), saved: saved.slice(0, VIEWS_MAX) };
}

function savedOf(value: unknown): SavedView[] {
  const { name, terms } = recordOf(value);
  if (typeof name !== "string" || name === "") return [];
  const texts = Object.entries(recordOf(terms)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return [{ name, terms: Object.fromEntries(texts) }];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** The view with one more saved filter. One of the same name is replaced. */
export function withSaved(view: ListView, added: SavedView): ListView {
  const others = view.saved.filter(({ name }) => name !== added.name);
  const saved = [...others, added].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  return { ...view, saved };
}

export function withoutSaved(view: ListView, name: string): ListView {
  return { ...view, saved: view.saved.filter((one) => one.name !== name) };
}

/** `columns` as chosen: hidden ones are left out, and those shown by hand are shown at every width. */
export function chosenColumns<C extends { readonly id: string; readonly from?: unknown }>(
  columns: readonly C[],
  { columns: chosen }: Pick<ListView, "columns">,
): C[] {
  return columns.flatMap((column, i) => {
    const is = Object.hasOwn(chosen, column.id) ? chosen[column.id] : undefined;
    if (is === undefined || i === 0) return [column];
    const { from: _, ...always } = column;
    return is ? [always as C] : [];
  });
}
