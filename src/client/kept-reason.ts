/**
 * The stored reason for accesses (`qf reason set`), in the person's own folder. It serves tools such as scp,
 * git and ansible, which cannot ask the person.
 *
 * @module
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readJsonState, writeJsonAtomic } from "../base/files.ts";
import { KeptReasonFile } from "../wire/state-file.ts";
import type { EpochSeconds } from "../wire/units.ts";

/** Longest time a reason can be stored, in seconds. */
export const KEPT_REASON_SECONDS_MAX = 86_400;

export type KeptReason = Omit<KeptReasonFile, "format">;

/** The reason stored in `folder`. Undefined when there is none or it has expired. */
export async function readKeptReason(folder: string, now: EpochSeconds): Promise<KeptReason | undefined> {
  const kept = await readJsonState(fileIn(folder), KeptReasonFile);
  if (kept === undefined || now >= kept.untilSeconds) return undefined;
  // If the clock was ahead when it was written, it would last longer than allowed.
  if (kept.untilSeconds - now > KEPT_REASON_SECONDS_MAX) return undefined;
  return { reason: kept.reason, untilSeconds: kept.untilSeconds };
}

export async function keepReason(folder: string, kept: KeptReason): Promise<void> {
  await writeJsonAtomic(fileIn(folder), { format: 1, ...kept } satisfies KeptReasonFile, 0o600);
}

export async function clearKeptReason(folder: string): Promise<void> {
  await rm(fileIn(folder), { force: true });
}

function fileIn(folder: string): string {
  return join(folder, "reason.json");
}
