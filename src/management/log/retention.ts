/**
 * Retention of an account's log, by its setting `audit_retention_days`.
 *
 * @module
 */
import type { AccountSettings } from "../../wire/account-settings.ts";
import type { AccountId } from "../../wire/units.ts";
import { filled } from "../contracts/settings.ts";
import type { Store } from "../db/store.ts";
import { findAccount } from "../db/tables/accounts.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import { deleteEventsOfGone, pruneBodies } from "../db/tables/log-retention.ts";
import { daysKept } from "../db/tables/shortened-retention.ts";
import { deleteSshSessionsBefore, deleteSshSessionsOfGone } from "../db/tables/ssh-sessions.ts";

const DAY_MS = 86_400_000;

/** Deletes what is older than the account's retention and logs that. Returns the last number; 0: none. */
export async function keepRetention(store: Store, accountId: AccountId): Promise<number> {
  const days = await store.read(async (tx) => {
    const account = await findAccount(tx, accountId);
    if (account === undefined) return null;
    const { audit_retention_days } = filled(account.settings);
    return await daysKept(tx, { accountId, field: "audit_retention_days" }, audit_retention_days);
  });
  if (days === null) return 0;
  let through = 0;
  for (let isMore = true; isMore; ) {
    const done = await store.transaction((tx) =>
      pruneBodies(tx, accountId, tx.clock.nowMs() - days * DAY_MS),
    );
    through = done?.through ?? through;
    isMore = done?.isMore === true;
  }
  if (through > 0) {
    await store.transaction((tx) => deleteSshSessionsBefore(tx, accountId, tx.clock.nowMs() - days * DAY_MS));
    const meta = { through: String(through), days: String(days) };
    const events = [{ activity: "log.prune" as const, targetId: accountId, meta }];
    await store.change({ accountId, initiator: systemInitiator, events }, async () => {});
  }
  return through;
}

/** Deletes the remains of deleted accounts, after the default retention. */
export async function forgetGoneAccounts(store: Store): Promise<void> {
  const { audit_retention_days } = filled({} as AccountSettings);
  await store.transaction(async (tx) => {
    const beforeMs = tx.clock.nowMs() - audit_retention_days * DAY_MS;
    await deleteSshSessionsOfGone(tx, beforeMs);
    await deleteEventsOfGone(tx, beforeMs);
  });
}
