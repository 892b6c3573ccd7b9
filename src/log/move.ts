/**
 * Moving management to another address: the word of the log's key that from here on it is found there.
 *
 * Machines and devices have pinned that key, so whoever comes to hold the old address, or has management's
 * certificate but not this key, leads nobody away. The word is a leaf of the log (`management.move`), too.
 *
 * @module
 */
import { type Ed25519Key, signEd25519, verifyEd25519 } from "../base/ed25519.ts";
import { type LogIdentity, MOVES_MAX, type MoveRecord } from "../wire/log-entry.ts";
import { signedBytes } from "../wire/signed-fields.ts";

/** What is said of a move, without the word for it. */
export type Move = Omit<MoveRecord, "signature">;

export function signMove(logOrigin: string, move: Move, key: Ed25519Key): MoveRecord {
  return { ...move, signature: signEd25519(key, bytesOf(logOrigin, move)) };
}

/**
 * Where management is now that was at `from`, by the words of `log`'s key in their order. Null: it is still
 * there, as far as that key says. A word that was given up to its end leads nowhere any more.
 */
export function followMoves(
  log: LogIdentity,
  { from, records, nowSeconds }: { from: string; records: readonly MoveRecord[]; nowSeconds: number },
): Move | null {
  let found: Move | null = null;
  for (const record of records.slice(0, MOVES_MAX)) {
    const isNext = record.from === (found?.to ?? from) && record.until_seconds > nowSeconds;
    if (!isNext || !verifyEd25519(log.key, bytesOf(log.origin, record), record.signature)) continue;
    const { signature: _, ...move } = record;
    found = move;
  }
  return found === null || found.to === from ? null : { ...found, from };
}

/** The account is the last part of a log's origin. */
function bytesOf(logOrigin: string, { from, to, at_seconds, until_seconds }: Move) {
  const accountId = logOrigin.slice(logOrigin.lastIndexOf("/") + 1);
  const fields = { from, to, at: at_seconds, until: until_seconds };
  return signedBytes("move", { accountId, origin: logOrigin }, fields);
}
