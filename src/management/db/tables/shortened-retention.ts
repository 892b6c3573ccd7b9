/**
 * Retention that was made shorter: it counts a week later, so that a stolen session removes nothing that
 * others could not save.
 *
 * @module
 */
import { nowSeconds } from "../../../base/clock.ts";
import type { AccountId } from "../../../wire/units.ts";
import type { Reader, Writer } from "../engine/transaction.ts";
import { findMeta, type MetaKey, putMeta } from "./accounts.ts";

/** The settings that say for how many days something is kept. */
export const RETENTION_FIELDS = ["audit_retention_days", "recording_retention_days"] as const;
export type RetentionField = (typeof RETENTION_FIELDS)[number];

const NOTICE_SECONDS = 7 * 86_400;

/** To be called with a change of the setting. Of several within the week the longest time counts on. */
export async function noteRetention(
  tx: Writer,
  of: { readonly accountId: AccountId; readonly field: RetentionField },
  { before, after }: { readonly before: number; readonly after: number },
): Promise<void> {
  if (after >= before) return;
  const days = await daysKept(tx, of, before);
  await putMeta(tx, keyOf(of), `${days} ${nowSeconds(tx.clock) + NOTICE_SECONDS}`);
}

/** For how many days things are kept now, where the setting says `days`. */
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
