/**
 * Bundles: exports of the log that can be verified on their own.
 *
 * The header has the signed note and the hashes of the subtrees on both sides of the entries. Each line after
 * it is a leaf, byte for byte. `log/verify-bundle.ts` reads them.
 *
 * @module
 */

import { canonicalJson } from "../../log/canonical-json.ts";
import { verifierKey } from "../../log/checkpoint.ts";
import type { BundleLine, BundleQuery } from "../../wire/log-api.ts";
import type { BundleHeader } from "../../wire/log-entry.ts";
import type { AccountId } from "../../wire/units.ts";
import type { ManagementContext } from "../contracts/context.ts";
import type { Reader } from "../db/engine/transaction.ts";
import { findSpan, listEventRange } from "../db/tables/audit-events.ts";
import { listCheckpoints } from "../db/tables/log-checkpoints.ts";
import { listHandovers } from "../db/tables/log-keys.ts";
import { leafOf } from "../db/tables/log-leaf.ts";
import { leafHashes, subtreeHashes } from "../db/tables/log-tree.ts";
import { requireHead } from "./account-logs.ts";
import { encoded } from "./proofs.ts";

/** Characters of one answer. A single event may have a megabyte. */
const TEXT_LENGTH_MAX = 8 * 1024 * 1024;

/** The header of a bundle of the events in a span of time, over a checkpoint that covers them all. */
export async function bundleHeader(
  { store, logs }: Pick<ManagementContext, "store" | "logs">,
  accountId: AccountId,
  { since, until }: BundleQuery,
): Promise<BundleHeader> {
  const { note, size } = await logs.checkpoint(accountId);
  const keys = await logs.keys(accountId);
  return store.read(async (tx) => {
    const head = await requireHead(tx, accountId);
    const span = await spanOf(tx, accountId, { since, until, size });
    const before = await subtreeHashes(tx, head, { from: 0, to: span.first - 1 });
    const handovers = await listHandovers(tx, accountId);
    const after = await subtreeHashes(tx, head, { from: span.last, to: size });
    return {
      type: "qufabric/audit-bundle/v1",
      account_id: accountId,
      origin: head.origin,
      keys: keys.map(verifierKey),
      ...(handovers.length === 0 ? {} : { handovers }),
      ...span,
      before: before.map(encoded),
      after: after.map(encoded),
      checkpoints: (await listCheckpoints(tx, accountId, span.first, span.last)).map((one) => one.note),
      checkpoint: note,
    };
  });
}

/** The events of a span of time. Without bounds all, including those that retention reduced to hashes. */
async function spanOf(
  tx: Reader,
  accountId: AccountId,
  { since, until, size }: BundleQuery & { readonly size: number },
): Promise<{ first: number; last: number }> {
  if (since === undefined && until === undefined) return { first: 1, last: size };
  const span = await findSpan(tx, accountId, {
    ...(since === undefined ? {} : { sinceMs: Date.parse(since) }),
    ...(until === undefined ? {} : { untilMs: Date.parse(until) }),
  });
  if (span === undefined || span.first > size) return { first: 1, last: 0 };
  return { first: span.first, last: Math.min(span.last, size) };
}

/** At most `limit` lines of the entries after number `after`, and the log's size. */
export async function bundleLines(
  tx: Reader,
  accountId: AccountId,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<{ lines: BundleLine[]; size: number }> {
  const head = await requireHead(tx, accountId);
  const last = Math.min(after + limit, head.size);
  if (last <= after) return { lines: [], size: head.size };
  const rows = await listEventRange(tx, accountId, after + 1, last);
  const leaves = new Map(rows.map((row) => [row.seq, leafOf(row)]));
  const hashes = leaves.size === last - after ? [] : await leafHashes(tx, head, after + 1, last);
  const lines: BundleLine[] = [];
  let length = 0;
  for (let seq = after + 1; seq <= last && length < TEXT_LENGTH_MAX; seq++) {
    const hash = hashes[seq - after - 1] ?? new Uint8Array();
    const line = leaves.get(seq) ?? canonicalJson({ seq, hash: encoded(hash) });
    length += line.length;
    lines.push({ seq, line });
  }
  return { lines, size: head.size };
}
