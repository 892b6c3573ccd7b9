/**
 * Checks of the account's log that do not trust management: signed by the pinned key, append-only, and with
 * valid proofs.
 *
 * @module
 */
import { type NoteKey, openCheckpoint, parseVerifierKey, readNote } from "../../log/checkpoint.ts";
import { isConsistent, isIncluded } from "../../log/proofs.ts";
import { type ConsistencyAnswer, type InclusionAnswer, LogCheckpoint } from "../../wire/log-api.ts";
import type { PinnedLog } from "../pinned-logs.ts";
import type { Attack, Verdict } from "./attack.ts";

export interface LogAccess {
  checkpoint(): Promise<LogCheckpoint>;
  consistency(from: number, to: number): Promise<ConsistencyAnswer>;
  inclusion(seq: number, size: number): Promise<InclusionAnswer>;
  pinned(origin: string): Promise<PinnedLog>;
}

/** `log`: null if the caller may not read it. */
export function logAttacks(url: string, log: LogAccess | null): Attack[] {
  const attack = (id: string, tried: string, run: (log: LogAccess) => Promise<Verdict>): Attack => ({
    ...{ id, target: url, tried },
    run: async () =>
      log === null ? { skipped: "it wants a login or token that may read the audit log" } : run(log),
  });
  return [
    attack("log_key", "a log that is signed by another key than the one pinned here", signedByPinned),
    attack("log_fork", "a log that is another than the one this device has seen", continues),
    attack("log_proofs", "proofs of its first and last entries", proofsHold),
  ];
}

async function signedByPinned(log: LogAccess): Promise<Verdict> {
  const { note, origin, keys } = LogCheckpoint.parse(await log.checkpoint());
  const own = keys.map(parseVerifierKey).filter((key): key is NoteKey => key !== undefined);
  if (openCheckpoint(note, own) === undefined) return "no key of its own has signed the checkpoint";
  const { keys: pinned } = await log.pinned(origin);
  if (pinned.length === 0) return { skipped: "this device has pinned no key of the log yet" };
  const isKnown = own.some((key) => pinned.some((one) => one.publicKey === key.publicKey));
  return isKnown ? null : "it does not have the key that is pinned here";
}

async function continues(log: LogAccess): Promise<Verdict> {
  const { note, origin } = LogCheckpoint.parse(await log.checkpoint());
  const now = readNote(note);
  if (now === undefined) return "the checkpoint cannot be read";
  const { checkpoints, keys } = await log.pinned(origin);
  const seen = checkpoints.map((text) => openCheckpoint(text, keys)).find((one) => one !== undefined);
  if (seen === undefined || seen.size === 0) return { skipped: "this device has seen no checkpoint yet" };
  if (now.size < seen.size) return `it has ${now.size} entries, and had ${seen.size}`;
  const { proof } = await log.consistency(seen.size, now.size);
  const hashes = proof.map((hash) => Buffer.from(hash, "base64"));
  return isConsistent(seen, now, hashes) ? null : "nothing proves that it goes on from there";
}

async function proofsHold(log: LogAccess): Promise<Verdict> {
  const now = readNote(LogCheckpoint.parse(await log.checkpoint()).note);
  if (now === undefined) return "the checkpoint cannot be read";
  for (const seq of new Set([1, Math.ceil(now.size / 2), now.size])) {
    if (seq < 1) continue;
    const { leaf, proof } = await log.inclusion(seq, now.size);
    const hashes = proof.map((hash) => Buffer.from(hash, "base64"));
    if (!isIncluded(Buffer.from(leaf, "base64"), seq - 1, hashes, now)) {
      return `nothing proves that entry ${seq} is in it`;
    }
  }
  return null;
}
