/**
 * A move of management to another address: a statement of the new address signed by the log's key.
 *
 * Machines and devices have pinned that key. Someone who takes over the old address, or has management's
 * certificate but not this key, cannot redirect them. The statement is also a leaf of the log
 * (`management.move`).
 *
 * @module
 */
import { type Ed25519Key, signEd25519, verifyEd25519 } from "../base/ed25519.ts";
import { type LogIdentity, MOVES_MAX, type MoveRecord } from "../wire/log-entry.ts";
import { signedBytes } from "../wire/signed-fields.ts";

/** A move without its signature. */
export type Move = Omit<MoveRecord, "signature">;

export function signMove(logOrigin: string, move: Move, key: Ed25519Key): MoveRecord {
  return { ...move, signature: signEd25519(key, bytesOf(logOrigin, move)) };
}

/**
 * The current address of the management that was at `from`, by the moves that `log`'s key signed, in order.
 * Null: it has not moved, as far as that key says. An expired move is not followed.
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
