/**
 * The reason for accesses of the next while (`qf reason set`), in the person's own folder: what wrapped tools
 * (scp, git, ansible), which nobody can ask, are let in with.
 *
 * @module
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readJsonState, writeJsonAtomic } from "../base/files.ts";
import { KeptReasonFile } from "../wire/state-file.ts";
import type { EpochSeconds } from "../wire/units.ts";

/** Longest time for which one reason is kept. */
export const KEPT_REASON_SECONDS_MAX = 86_400;

export type KeptReason = Omit<KeptReasonFile, "format">;

/** The reason that is kept in `folder`. Undefined: none, or it is over. */
export async function readKeptReason(folder: string, now: EpochSeconds): Promise<KeptReason | undefined> {
  const kept = await readJsonState(fileIn(folder), KeptReasonFile);
  if (kept === undefined || now >= kept.untilSeconds) return undefined;
  // Written under a clock that was ahead, it would be kept for longer than anybody may ask.
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
