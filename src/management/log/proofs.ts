/**
 * Proofs of an account's log, read from its tiles.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import { consistencyRanges, inclusionRanges } from "../../log/tree-ranges.ts";
import type { AccountId } from "../../wire/units.ts";
import type { Reader } from "../db/engine/transaction.ts";
import { leafHashes, rangeHashes } from "../db/tables/log-tree.ts";
import { requireHead } from "./account-logs.ts";

/** Proves that event `seq` is in the tree of `size` events. Throws ERR_BAD_REQUEST when it is not. */
export async function inclusionProof(
  tx: Reader,
  accountId: AccountId,
  { seq, size }: { readonly seq: number; readonly size: number },
): Promise<{ leaf: string; proof: string[] }> {
  const head = await requireHead(tx, accountId);
  if (seq < 1 || seq > size || size > head.size) {
    throw new QfError("ERR_BAD_REQUEST", "there is no such event in a log of that size", {
      hint: `seq is from 1 to size, and size at most ${head.size}`,
    });
  }
  const hashes = await rangeHashes(tx, head, inclusionRanges(seq - 1, size));
  const [leaf] = await leafHashes(tx, head, seq, seq);
  return { leaf: encoded(leaf as Uint8Array), proof: hashes.map(encoded) };
}

/** Proves that the log of `to` events extends that of `from`. Throws ERR_BAD_REQUEST for impossible sizes. */
export async function consistencyProof(
  tx: Reader,
  accountId: AccountId,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<string[]> {
  const head = await requireHead(tx, accountId);
  if (from > to || to > head.size) {
    throw new QfError("ERR_BAD_REQUEST", "there is no log of such sizes", {
      hint: `from is at most to, and to at most ${head.size}`,
    });
  }
  return (await rangeHashes(tx, head, consistencyRanges(from, to))).map(encoded);
}

/** A hash as encoded in notes. */
export function encoded(hash: Uint8Array): string {
  return Buffer.from(hash).toString("base64");
}
