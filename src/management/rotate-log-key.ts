/**
 * Rotation of the keys that sign the accounts' logs: `qf management rotate log-key`. The old key and the new
 * one both sign the handover.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { type Clock, nowSeconds, systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { type Log, silentLog } from "../base/log.ts";
import { signHandover } from "../log/key-handover.ts";
import type { RotatedLogKey } from "../wire/admin-api.ts";
import { newLogKey, openEd25519 } from "./ca/account-keys.ts";
import { openMasterKey } from "./ca/master-key.ts";
import type { ChangeWriter } from "./db/store.ts";
import { listAccounts } from "./db/tables/accounts.ts";
import { systemInitiator } from "./db/tables/audit-events.ts";
import { insertSigningKeys, listSigningKeys, setSigningKeyState } from "./db/tables/keys.ts";
import { findHead } from "./db/tables/log-tree.ts";
import { defaultMasterKeyFile, openWithMasterKey } from "./init.ts";

export interface RotateOptions {
  readonly dataDir: string;
  /** Default `<dataDir>/master.key`. */
  readonly masterKeyFile?: string;
  /** `postgres://…`. Absent: SQLite in the data folder. */
  readonly databaseUrl?: string;
  readonly clock?: Clock;
  readonly log?: Log;
}

/**
 * Rotates the key of every account's log. Throws ERR_CONFLICT while a server has the data folder,
 * ERR_NOT_INITIALISED when there is no account or its log has not begun.
 */
export async function rotateLogKeys(options: RotateOptions): Promise<RotatedLogKey[]> {
  const { dataDir, databaseUrl, clock = systemClock, log = silentLog } = options;
  if (databaseUrl === undefined && !existsSync(dataDir)) throw notInitialised(dataDir);
  const masterKeyFile = options.masterKeyFile ?? defaultMasterKeyFile(dataDir);
  const store = await openWithMasterKey({ dataDir, databaseUrl, clock, log, create: false }, masterKeyFile);
  try {
    const accounts = await store.read(listAccounts);
    if (accounts.length === 0) throw notInitialised(dataDir);
    const masterKey = await openMasterKey(masterKeyFile);
    const rotated: RotatedLogKey[] = [];
    for (const { id: accountId } of accounts) {
      const change = { accountId, initiator: systemInitiator };
      rotated.push(await store.change(change, (tx) => rotate(tx, accountId, masterKey)));
    }
    return rotated;
  } finally {
    await store.close();
  }
}

/** Runs in one transaction, so that nothing is signed with the new key before its leaf is in the log. */
export async function rotate(
  tx: ChangeWriter,
  accountId: string,
  masterKey: Uint8Array,
): Promise<RotatedLogKey> {
  const head = await findHead(tx, accountId);
  const before = (await listSigningKeys(tx, accountId, "log")).findLast(({ state }) => state === "active");
  if (head === undefined || before === undefined) {
    throw new QfError("ERR_NOT_INITIALISED", "the log of this account has not begun", {
      hint: "start qf management serve once",
    });
  }
  // Keys are ordered by creation time, so each needs a later one.
  const next = newLogKey(masterKey, accountId, Math.max(nowSeconds(tx.clock), before.createdAt + 1));
  const from = openEd25519(masterKey, before);
  const to = openEd25519(masterKey, { ...next, accountId, retiredAt: null });
  await setSigningKeyState(tx, before.id, "retired");
  await insertSigningKeys(tx, [next]);
  const data = signHandover(head.origin, { from, to });
  tx.record({ activity: "log.key", targetId: accountId, meta: { key: to.publicKey }, data });
  return { accountId, origin: head.origin, key: to.publicKey };
}

function notInitialised(dataDir: string): QfError {
  return new QfError("ERR_NOT_INITIALISED", `there is no account in ${dataDir}`, {
    hint: "give the --data-dir or the database that qf management serve runs with",
  });
}
