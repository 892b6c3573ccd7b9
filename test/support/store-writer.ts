/**
 * Run as a process of its own: writes audit events one by one and prints the number of each once it
 * is acknowledged, until somebody kills it.
 */
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { openStore } from "../../src/management/db/store.ts";
import { findAccount, insertAccount } from "../../src/management/db/tables/accounts.ts";
import { systemInitiator } from "../../src/management/db/tables/audit-events.ts";
import { anAccountRow } from "./account-row.ts";

const store = openStore({ dataDir: process.argv[2] ?? "", clock: systemClock, log: silentLog, create: true });
await store.transaction(async (tx) => {
  if ((await findAccount(tx, "acc")) === undefined) await insertAccount(tx, anAccountRow({ id: "acc" }));
});
store.onAudit((_, seq) => {
  process.stdout.write(`${seq}\n`);
});
for (;;) {
  const event = { activity: "group.add" as const, targetId: "g" };
  await store.change({ accountId: "acc", initiator: systemInitiator, events: [event] }, async () => {});
}
