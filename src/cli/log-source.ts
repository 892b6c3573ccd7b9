/**
 * The account's log as management gives it out, page by page.
 *
 * @module
 */
import { BundleLine, LogCheckpoint } from "../wire/log-api.ts";
import { BundleHeader } from "../wire/log-entry.ts";
import type { Admin } from "./admin.ts";

/** Entries in one answer. */
const PAGE_ENTRIES = 1_000;

/** What of the log is asked for; times as ISO 8601. */
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

/** Pages of the entries of a bundle with that header. */
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
    if (end === undefined || end <= after) return; // Whoever reads it finds what is missing.
    after = end;
  }
}
