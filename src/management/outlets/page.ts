/**
 * Pages of log entries for streams.
 *
 * @module
 */
import { parseJson } from "../../base/files.ts";
import type { BundleLine } from "../../wire/log-api.ts";
import { LogEntry } from "../../wire/log-entry.ts";
import { type SyslogEntry, syslogFrame } from "./syslog.ts";

/** Entries of one delivery, and their bytes. A single larger entry is delivered alone. */
export const PAGE_ENTRIES_MAX = 500;
const PAGE_BYTES_MAX = 512 * 1024;

/** The first of `lines`, as many as fit in one page. */
export function pageOf(lines: readonly BundleLine[]): BundleLine[] {
  let bytes = 0;
  const end = lines.findIndex(({ line }, i) => {
    bytes += Buffer.byteLength(line);
    return i > 0 && bytes > PAGE_BYTES_MAX;
  });
  return end === -1 ? [...lines] : lines.slice(0, end);
}

/** The body of a webhook: entries byte for byte, so that their hashes can be checked. */
export function webhookBody(page: {
  readonly accountId: string;
  readonly nowMs: number;
  readonly lines: readonly BundleLine[];
}): string {
  const head = JSON.stringify({ type: "audit.entries", timestamp: new Date(page.nowMs).toISOString() });
  const data = `{"account_id":${JSON.stringify(page.accountId)},"entries":[${page.lines
    .map(({ line }) => line)
    .join(",")}]}`;
  return `${head.slice(0, -1)},"data":${data}}`;
}

/** The page as a sequence of syslog messages. */
export function syslogBytes(
  from: { readonly accountId: string; readonly host: string },
  lines: readonly BundleLine[],
): Buffer {
  return Buffer.concat(lines.map((line) => syslogFrame(syslogEntry(from, line))));
}

function syslogEntry(
  { accountId, host }: { readonly accountId: string; readonly host: string },
  { seq, line }: BundleLine,
): SyslogEntry {
  const parsed = LogEntry.safeParse(parseJson(line));
  const { activity_code: activity = "log.pruned", at_ms: atMs = null } = parsed.success ? parsed.data : {};
  return { host, accountId, seq, atMs, activity, line };
}
