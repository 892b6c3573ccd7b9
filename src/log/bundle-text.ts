/**
 * The text of a bundle: header, entries, and a line of hashes after each block. Also the events as CSV for
 * spreadsheets, which cannot be verified.
 *
 * @module
 */
import { parseJson } from "../base/files.ts";
import type { BundleLine } from "../wire/log-api.ts";
import { type BundleHeader, LogEntry, PrunedEntry } from "../wire/log-entry.ts";
import { canonicalJson } from "./canonical-json.ts";
import { leafHash } from "./tree-hash.ts";

/** Entries between two lines of hashes. */
const BLOCK_ENTRIES = 64;

/** The lines of a bundle, without line feeds, for the entries from `pages`, first to last. */
export async function* bundleText(
  header: BundleHeader,
  pages: AsyncIterable<readonly BundleLine[]>,
): AsyncGenerator<string> {
  yield canonicalJson(header);
  let first = header.first;
  let hashes: string[] = [];
  for await (const page of pages) {
    for (const { seq, line } of page) {
      if (seq > header.last) break;
      yield line;
      hashes.push(hashOf(line));
      if (hashes.length < BLOCK_ENTRIES && seq < header.last) continue;
      yield canonicalJson({ first, hashes });
      first = seq + 1;
      hashes = [];
    }
  }
}

function hashOf(line: string): string {
  const pruned = PrunedEntry.safeParse(parseJson(line));
  return pruned.success ? pruned.data.hash : leafHash(line).toString("base64");
}

const CSV_COLUMNS = [
  "seq",
  "time",
  "activity",
  "initiator_id",
  "initiator_name",
  "initiator_email",
  "target_id",
  "machine_id",
  "receipt",
  "meta",
  "data",
] as const;

export function csvHeading(): string {
  return CSV_COLUMNS.join(",");
}

/** One entry as a row of CSV (RFC 4180). Undefined when its body has been removed. */
export function csvRow(line: string): string | undefined {
  const parsed = LogEntry.safeParse(parseJson(line));
  if (!parsed.success) return undefined;
  const entry = parsed.data;
  return [
    String(entry.seq),
    new Date(entry.at_ms).toISOString(),
    entry.activity_code,
    entry.initiator_id,
    entry.initiator_name,
    entry.initiator_email,
    entry.target_id,
    entry.agent?.peer_id ?? "",
    entry.receipt ?? "",
    canonicalJson(entry.meta),
    entry.data === undefined ? "" : canonicalJson(entry.data),
  ]
    .map(csvCell)
    .join(",");
}

/** Quoted if needed. Text that a spreadsheet would read as a formula gets a leading apostrophe. */
function csvCell(text: string): string {
  const tame = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame;
}
