/**
 * The next page of an outlet, read from the log.
 *
 * @module
 */
import type { BundleLine } from "../../wire/log-api.ts";
import type { Reader } from "../db/engine/transaction.ts";
import { listEvents } from "../db/tables/audit-events.ts";
import type { OutletRow } from "../db/tables/log-outlets.ts";
import { findHead } from "../db/tables/log-tree.ts";
import { bundleLines } from "../log/bundle.ts";
import type { Notice, NoticeReader } from "./notices.ts";
import { PAGE_ENTRIES_MAX, pageOf } from "./page.ts";

/** Older events are no longer sent as notices: a channel that was down for days skips them. */
const NEWS_MS_MAX = 86_400_000;

/** The next entries or notices, and how far in the log they reach. */
export interface NextOfOutlet {
  readonly lines: readonly BundleLine[];
  readonly notices: readonly Notice[];
  /** The last entry read. The outlet's cursor: there is nothing new. */
  readonly throughSeq: number;
}

export async function nextOfOutlet(
  tx: Reader,
  outlet: OutletRow,
  { notices: reader, nowMs }: { readonly notices: NoticeReader; readonly nowMs: number },
): Promise<NextOfOutlet> {
  const { accountId, cursorSeq, endsAtSeq } = outlet;
  const most = Math.min(PAGE_ENTRIES_MAX, (endsAtSeq ?? Number.MAX_SAFE_INTEGER) - cursorSeq);
  const nothing = { lines: [], notices: [], throughSeq: cursorSeq };
  if (most <= 0 || (await findHead(tx, accountId)) === undefined) return nothing;
  if (outlet.purpose === "stream") {
    const lines = pageOf((await bundleLines(tx, accountId, { after: cursorSeq, limit: most })).lines);
    return { ...nothing, lines, throughSeq: lines.at(-1)?.seq ?? cursorSeq };
  }
  const events = await listEvents(tx, accountId, { limit: most, afterSeq: cursorSeq });
  const notices = events
    .map((event) => reader.take(event))
    .filter((one) => one !== undefined)
    .filter(({ topic, atMs }) => outlet.topics.includes(topic) && nowMs - atMs < NEWS_MS_MAX);
  return { ...nothing, notices, throughSeq: events.at(-1)?.seq ?? cursorSeq };
}
