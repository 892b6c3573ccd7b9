/**
 * Makes an API token on the management host. Access to the data folder is the authority, so this is the way
 * back in when no owner can sign in.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { type Clock, nowSeconds, systemClock } from "../base/clock.ts";
import { QfError } from "../base/errors.ts";
import { type Log, silentLog } from "../base/log.ts";
import { newId, newSecret } from "../base/random.ts";
import { API_TOKEN_PREFIX } from "../wire/secret-kind.ts";
import type { Reader } from "./db/engine/transaction.ts";
import { openAnyStore } from "./db/open.ts";
import { listAccounts } from "./db/tables/accounts.ts";
import { insertToken, newTokenRow } from "./db/tables/api-tokens.ts";
import { systemInitiator } from "./db/tables/audit-events.ts";
import { listUsers, type UserRow } from "./db/tables/users.ts";

const DAY_SECONDS = 86_400;

/** Where the data is, whose token, and for how many days. */
export interface HostTokenOptions {
  readonly dataDir: string;
  /** `postgres://…`. Absent: SQLite in the data folder. */
  readonly databaseUrl?: string;
  /** E-mail address or id. Undefined: the first owner. */
  readonly user?: string | undefined;
  readonly days: number;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** The token, printed once. `expiresAt` is RFC 3339. */
export interface HostToken {
  readonly userId: string;
  readonly token: string;
  readonly expiresAt: string;
}

/**
 * Makes the token and records the event. Throws ERR_CONFLICT while a server has the data folder,
 * ERR_NOT_INITIALISED when the folder holds no account, ERR_NOT_FOUND for a user who does not exist or may
 * not sign in.
 */
export async function makeHostToken(options: HostTokenOptions): Promise<HostToken> {
  const { dataDir, databaseUrl, user, days, clock = systemClock, log = silentLog } = options;
  if (databaseUrl === undefined && !existsSync(dataDir)) throw notInitialised(dataDir);
  const store = await openAnyStore({ dataDir, databaseUrl, clock, log, create: false });
  try {
    const [account] = await store.read(listAccounts);
    if (account === undefined) throw notInitialised(dataDir);
    return await store.change({ accountId: account.id, initiator: systemInitiator }, async (tx) => {
      const owner = await userOf(tx, account.id, user);
      const token = newSecret(API_TOKEN_PREFIX);
      const createdAt = nowSeconds(clock);
      const expiresAt = createdAt + days * DAY_SECONDS;
      const name = "management host";
      const scope = "dangerous" as const;
      const order = { id: newId(), accountId: account.id, userId: owner.id, name, scope };
      await insertToken(tx, newTokenRow({ ...order, createdBy: owner.id, createdAt, expiresAt }, token));
      const meta = { name, user: owner.name };
      tx.record({ activity: "personal.access.token.create", targetId: owner.id, meta });
      return { userId: owner.id, token, expiresAt: new Date(expiresAt * 1000).toISOString() };
    });
  } finally {
    await store.close();
  }
}

async function userOf(tx: Reader, accountId: string, name: string | undefined): Promise<UserRow> {
  const people = (await listUsers(tx, accountId)).filter((user) => !user.isBlocked && !user.isServiceUser);
  const found =
    name === undefined
      ? people.find((user) => user.role === "owner")
      : people.find((user) => user.email === name || user.id === name);
  if (found !== undefined) return found;
  throw new QfError(
    "ERR_NOT_FOUND",
    name === undefined
      ? "there is no owner who may sign in"
      : `there is no active user ${JSON.stringify(name)}`,
    { hint: "give --user with the e-mail address or id of an active person" },
  );
}

function notInitialised(dataDir: string): QfError {
  return new QfError("ERR_NOT_INITIALISED", `there is no account in ${dataDir}`, {
    hint: "give the --data-dir or the database that qf management serve runs with",
  });
}
