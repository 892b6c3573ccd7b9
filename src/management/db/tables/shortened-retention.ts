/**
 * Shortened retention, which takes effect a week later, so that an attacker with a stolen session cannot
 * delete anything before others can save it.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import { findMeta, type MetaKey, putMeta } from "./accounts.ts";

/** The settings that say how many days something is kept. */
export const RETENTION_FIELDS = ["audit_retention_days", "recording_retention_days"] as const;
export type RetentionField = (typeof RETENTION_FIELDS)[number];

const NOTICE_SECONDS = 7 * 86_400;

/** Call on every change of the setting. After several within a week, the longest time stays in force. */
export async function noteRetention(
  tx: Writer,
  of: { readonly accountId: AccountId; readonly field: RetentionField },
  { before, after }: { readonly before: number; readonly after: number },
): Promise<void> {
  if (after >= before) return;
  const days = await daysKept(tx, of, before);
  await putMeta(tx, keyOf(of), `${days} ${nowSeconds(tx.clock) + NOTICE_SECONDS}`);
}

/** The days that are in force now, where the setting says `days`. */
export async function daysKept(
  tx: Reader,
  of: { readonly accountId: AccountId; readonly field: RetentionField },
  days: number,
): Promise<number> {
  const [before = 0, untilSeconds = 0] = ((await findMeta(tx, keyOf(of))) ?? "").split(" ").map(Number);
  return nowSeconds(tx.clock) < untilSeconds ? Math.max(days, before) : days;
}

function keyOf({ accountId, field }: { readonly accountId: AccountId; readonly field: string }): MetaKey {
  return `kept.${accountId}.${field}`;
}
