/**
 * The account's log, fetched from management page by page.
 *
 * @module
 */
import { BundleLine, LogCheckpoint } from "../wire/log-api.ts";
import { BundleHeader } from "../wire/log-entry.ts";
import type { Admin } from "./admin.ts";

/** Entries in one answer. */
const PAGE_ENTRIES = 1_000;

/** The span of the log to fetch. Times are ISO 8601. */
export interface LogSpan {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export async function fetchCheckpoint(admin: Admin): Promise<LogCheckpoint> {
  return (await admin.request("GET", "/api/events/audit/checkpoint", { answer: LogCheckpoint })).value;
}

export async function fetchHeader(admin: Admin, span: LogSpan): Promise<BundleHeader> {
  const query = new URLSearchParams();
  if (span.since !== undefined) query.set("since", span.since);
  if (span.until !== undefined) query.set("until", span.until);
  return (await admin.request("GET", `/api/events/audit/bundle?${query}`, { answer: BundleHeader })).value;
}

/** The entries of a bundle with this header, in pages. */
export async function* fetchEntries(
  admin: Admin,
  { first, last }: Pick<BundleHeader, "first" | "last">,
): AsyncGenerator<BundleLine[]> {
  for (let after = first - 1; after < last; ) {
    const limit = Math.min(PAGE_ENTRIES, last - after);
    const path = `/api/events/audit/entries?after_seq=${after}&limit=${limit}`;
    const { value } = await admin.request("GET", path, { answer: BundleLine.array() });
    yield value;
    const end = value.at(-1)?.seq;
    if (end === undefined || end <= after) return; // The reader notices missing entries.
    after = end;
  }
}
