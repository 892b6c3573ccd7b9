/**
 * Handover of a log to another key: a statement, signed by both keys, that the new one signs from here on.
 *
 * The old key's signature keeps management, or a holder of its database, from substituting a log under a new
 * key. The new key's proves that somebody holds it. The statement is also a leaf of the log (`log.key`).
 *
 * @module
 */
import { type Ed25519Key, signEd25519, verifyEd25519 } from "../base/ed25519.ts";
import type { LogIdentity, LogKeyRecord } from "../wire/log-entry.ts";
import { signedBytes } from "../wire/signed-fields.ts";

/** Most key changes followed at once. */
export const HANDOVERS_MAX = 64;

export function signHandover(
  origin: string,
  { from, to }: { readonly from: Ed25519Key; readonly to: Ed25519Key },
): LogKeyRecord {
  const keys = { old_key: from.publicKey, new_key: to.publicKey };
  const bytes = bytesOf(origin, keys);
  return {
    ...keys,
    old_signature: signEd25519(from, bytes),
    new_signature: signEd25519(to, bytes),
  };
}

/** Whether both keys have signed it, for the log of that origin. */
export function isHandover(origin: string, record: LogKeyRecord): boolean {
  const bytes = bytesOf(origin, record);
  return (
    verifyEd25519(record.old_key, bytes, record.old_signature) &&
    verifyEd25519(record.new_key, bytes, record.new_signature)
  );
}

/**
 * The keys reached from `log`'s by `records`, in order, starting with itself. Invalid records, and those of
 * other keys, are ignored.
 */
export function followHandovers(log: LogIdentity, records: readonly LogKeyRecord[]): string[] {
  const keys = [log.key];
  for (const record of records.slice(0, HANDOVERS_MAX)) {
    const isNext = record.old_key === keys.at(-1) && !keys.includes(record.new_key);
    if (isNext && isHandover(log.origin, record)) keys.push(record.new_key);
  }
  return keys;
}

/** The account id is the last part of a log's origin. */
function bytesOf(origin: string, { old_key, new_key }: Pick<LogKeyRecord, "old_key" | "new_key">) {
  const accountId = origin.slice(origin.lastIndexOf("/") + 1);
  return signedBytes("log-key", { accountId, origin }, { old: old_key, new: new_key });
}
