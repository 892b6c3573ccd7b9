/**
 * Lists of the API: whole, as NetBird's clients expect them, or in pages with `limit` and `cursor`.
 *
 * The body is a plain array either way. `X-Total-Count` has the number of items, and `Link` with `rel="next"`
 * leads to the next page. `X-Seen-Seq` tells a client that follows a log where to go on. Pages are ordered by
 * id, so that items that stay are neither skipped nor repeated while others come and go.
 *
 * @module
 */
import type { Context } from "hono";
import { PAGE_MAX, type PageQuery } from "../../../wire/admin-query.ts";

export interface Listing<T> {
  readonly items: readonly T[];
  /** Over all pages. */
  readonly total: number;
  /** Query parameters that change for the next page. Null: this is the last page. */
  readonly next: Readonly<Record<string, string>> | null;
  /** Of a log that is followed: where the next request goes on. Absent: it is not followed. */
  readonly seen?: string;
}

/** The requested page of `rows`. Only its rows are rendered. */
export function listing<R, T>(
  query: PageQuery,
  rows: readonly R[],
  { keyOf, render }: { keyOf: (row: R) => string; render: (row: R) => T },
): Listing<T> {
  const { limit = PAGE_MAX, cursor = "" } = query;
  const total = rows.length;
  if (query.limit === undefined && query.cursor === undefined) {
    return { items: rows.map(render), total, next: null };
  }
  const rest = rows.filter((row) => keyOf(row) > cursor).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const shown = rest.slice(0, limit);
  const last = shown.at(-1);
  const isLast = last === undefined || rest.length <= limit;
  return {
    items: shown.map(render),
    total,
    next: isLast ? null : { limit: String(limit), cursor: keyOf(last) },
  };
}

/** `listing` for things with an id. */
export function listingById<R extends { readonly id: string }, T>(
  query: PageQuery,
  rows: readonly R[],
  render: (row: R) => T,
): Listing<T> {
  return listing(query, rows, { keyOf: (row) => row.id, render });
}

/** Sets the headers, since the body is a plain array. */
export function announce(c: Context, list: Listing<unknown>, origin: string): void {
  c.header("X-Total-Count", String(list.total));
  if (list.seen !== undefined) c.header("X-Seen-Seq", list.seen);
  if (list.next === null) return;
  const { pathname, searchParams } = new URL(c.req.url);
  for (const [name, value] of Object.entries(list.next)) searchParams.set(name, value);
  c.header("Link", `<${origin}${pathname}?${searchParams}>; rel="next"`);
}
