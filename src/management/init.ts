/**
 * Creation of the first account: its keys, its owner, and a first token.
 *
 * `qf management init` and the one-time set-up link both end here. After an interrupted run, the next one
 * finds either nothing done or everything: one process holds the data folder, the master key is written
 * first, and the rest is one transaction.
 *
 * @module
 */

import { chmodSync, linkSync, readdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { type Clock, nowSeconds, systemClock } from "../base/clock.ts";
import { isQfError, QfError } from "../base/errors.ts";
import { makeDirectory } from "../base/files.ts";
import { type Log, silentLog } from "../base/log.ts";
import { requirePrivate } from "../base/private-file.ts";
import { newId, newSecret } from "../base/random.ts";
import type { InitResult } from "../wire/admin-api.ts";
import { API_TOKEN_PREFIX } from "../wire/secret-kind.ts";
import { Email } from "../wire/units.ts";
import { newAccountKeys, newServerKeys } from "./ca/account-keys.ts";
import { createMasterKey, openMasterKey } from "./ca/master-key.ts";
import type { NewOwner } from "./contracts/new-owner.ts";
import { DEFAULT_DOMAIN, defaultSettings } from "./contracts/settings.ts";
import type { Writer } from "./db/engine/transaction.ts";
import { type OpenOptions, openAnyStore } from "./db/open.ts";
import type { Store } from "./db/store.ts";
import { insertAccount, listAccounts } from "./db/tables/accounts.ts";
import { insertToken, newTokenRow } from "./db/tables/api-tokens.ts";
import { appendEvents } from "./db/tables/audit-events.ts";
import { insertGroup } from "./db/tables/groups.ts";
import { insertSigningKeys, listSigningKeys } from "./db/tables/keys.ts";
import { insertIdpAccount } from "./db/tables/sign-in.ts";
import { EMBEDDED_ISSUER, insertUser } from "./db/tables/users.ts";
import { hashPassword, normaliseEmail, PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "./idp/passwords.ts";

const TOKEN_SECONDS = 365 * 86_400;

export interface InitOptions {
  /** Created with mode 0700 if missing. */
  readonly dataDir: string;
  /** Default `<dataDir>/master.key`. */
  readonly masterKeyFile?: string;
  readonly ownerEmail: string;
  readonly ownerPassword: string;
  /** `postgres://…`. Absent: SQLite in the data folder. */
  readonly databaseUrl?: string;
  readonly clock?: Clock;
  readonly log?: Log;
}

export function defaultMasterKeyFile(dataDir: string): string {
  return join(dataDir, "master.key");
}

/**
 * Creates the data folder, master key, database, account, owner and token. The token is shown only here.
 *
 * Throws ERR_ALREADY_INITIALISED when an account exists, whatever owner is given and however many runs race.
 * Throws ERR_USAGE for an unusable e-mail address or password, and then creates nothing.
 */
export async function initManagement(options: InitOptions): Promise<InitResult> {
  const unusable = problemWithOwner(options);
  if (unusable !== null) throw (await hasAccount(options)) ? alreadyInitialised() : unusable;
  await prepareDataDir(options.dataDir);
  const store = await openForInit(options, { create: true });
  try {
    // Checked before the key is created: a lost key must not be silently replaced by one that decrypts
    // nothing.
    if ((await store.read(listAccounts)).length > 0) throw alreadyInitialised();
    const masterKey = await ensureMasterKey(options.masterKeyFile ?? defaultMasterKeyFile(options.dataDir));
    const passwordHash = await hashPassword(options.ownerPassword);
    return await store.transaction((tx) =>
      createAccount(tx, masterKey, { email: options.ownerEmail, passwordHash }),
    );
  } finally {
    await store.close();
  }
}

/**
 * Creates the folder, or makes an empty existing one private. Throws ERR_PERMISSION for a non-empty folder
 * that is open to others: they may have read its content, or put it there.
 */
export async function prepareDataDir(dataDir: string): Promise<void> {
  await makeDirectory(dataDir, 0o700);
  const { mode, uid } = statSync(dataDir);
  const isOurs = uid === process.getuid?.();
  if (isOurs && (mode & 0o077) !== 0 && readdirSync(dataDir).length === 0) {
    chmodSync(dataDir, 0o700);
    if (readdirSync(dataDir).length === 0) return;
  }
  requirePrivate(dataDir, "the data folder");
}

/**
 * Opens the database, and creates it if there is neither a database nor a master key. Throws
 * ERR_STATE_DAMAGED if there is only the key: that means a lost volume, and starting over would hide it.
 */
export async function openWithMasterKey(options: OpenOptions, masterKeyFile: string): Promise<Store> {
  const hasKey = statSync(masterKeyFile, { throwIfNoEntry: false }) !== undefined;
  try {
    return await openAnyStore({ ...options, create: !hasKey });
  } catch (cause) {
    if (!hasKey || !isQfError(cause, "ERR_NOT_INITIALISED")) throw cause;
    throw new QfError("ERR_STATE_DAMAGED", `the master key ${masterKeyFile} is there, its database is not`, {
      hint: "mount or restore the database; to start over without it, move the key away first",
      cause,
    });
  }
}

/** Opens the master key, and creates it if missing. A crash leaves either no key or a whole one. */
export async function ensureMasterKey(path: string): Promise<Uint8Array> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    const temporary = `${path}.new-${newId()}`;
    await createMasterKey(temporary);
    try {
      linkSync(temporary, path);
    } finally {
      unlinkSync(temporary);
    }
  }
  return openMasterKey(path);
}

/** Creates the first account. Throws ERR_ALREADY_INITIALISED when one exists. */
export async function createAccount(tx: Writer, masterKey: Uint8Array, owner: NewOwner): Promise<InitResult> {
  if ((await listAccounts(tx)).length > 0) throw alreadyInitialised();
  return addAccount(tx, masterKey, owner);
}

/** Creates an account with its `All` group, owner, keys and first token. */
export async function addAccount(tx: Writer, masterKey: Uint8Array, owner: NewOwner): Promise<InitResult> {
  const now = nowSeconds(tx.clock);
  const accountId = newId();
  const ownerId = newId();
  const email = normaliseEmail(owner.email);
  const subject = owner.identity?.subject ?? newId();
  await insertAccount(tx, {
    id: accountId,
    domain: DEFAULT_DOMAIN,
    settings: { ...defaultSettings(), embedded_idp_enabled: owner.identity === undefined },
    onboarding: { signup_form_pending: false, onboarding_flow_pending: false },
    version: 1,
    nextAuditSeq: 1,
    createdAt: now,
    createdBy: ownerId,
  });
  await insertGroup(tx, { id: newId(), accountId, name: "All", isAll: true, createdAt: now });
  await insertUser(tx, {
    id: ownerId,
    accountId,
    issuer: owner.identity?.issuer ?? EMBEDDED_ISSUER,
    subject,
    email,
    name: owner.identity?.name ?? (email.split("@")[0] as string),
    role: "owner",
    autoGroups: [],
    isServiceUser: false,
    isBlocked: false,
    pendingApproval: false,
    createdAt: now,
    lastLoginAt: null,
  });
  if (owner.passwordHash !== undefined) {
    await insertIdpAccount(tx, {
      id: subject,
      accountId,
      userId: ownerId,
      email,
      passwordHash: owner.passwordHash,
      passwordChangedAt: now,
      failedAttempts: 0,
      lockedUntil: null,
      createdAt: now,
    });
  }
  await createKeys(tx, masterKey, accountId, now);
  const token = await createToken(tx, accountId, ownerId, now);
  const initiator = { id: ownerId, name: email, email };
  await appendEvents(tx, accountId, initiator, [{ activity: "account.create", targetId: accountId }]);
  return { accountId, ownerId, token };
}

async function createKeys(tx: Writer, masterKey: Uint8Array, accountId: string, now: number): Promise<void> {
  await insertSigningKeys(tx, newAccountKeys(masterKey, accountId, now));
  const own = await Promise.all([listSigningKeys(tx, null, "oidc"), listSigningKeys(tx, null, "cookie")]);
  if (own.flat().length === 0) await insertSigningKeys(tx, newServerKeys(masterKey, now));
}

async function createToken(tx: Writer, accountId: string, ownerId: string, now: number): Promise<string> {
  const token = newSecret(API_TOKEN_PREFIX);
  const order = {
    id: newId(),
    accountId,
    userId: ownerId,
    name: "init",
    // The person who sets up the server may do everything, and has nobody to ask.
    scope: "dangerous" as const,
    createdBy: ownerId,
    createdAt: now,
    expiresAt: now + TOKEN_SECONDS,
  };
  await insertToken(tx, newTokenRow(order, token));
  return token;
}

/** Why the owner cannot be created as given. Null: nothing is wrong. */
function problemWithOwner({ ownerEmail, ownerPassword }: InitOptions): QfError | null {
  if (!Email.safeParse(ownerEmail).success) {
    return new QfError("ERR_USAGE", "the owner's e-mail address is not usable", {
      hint: "give --owner-email NAME@HOST",
    });
  }
  const { length } = ownerPassword;
  if (length >= PASSWORD_LENGTH_MIN && length <= PASSWORD_LENGTH_MAX) return null;
  return new QfError("ERR_USAGE", `the owner's password needs ${PASSWORD_LENGTH_MIN} characters or more`, {
    hint: `at most ${PASSWORD_LENGTH_MAX}; it is read from standard input`,
  });
}

/** Whether an earlier run created an account. Does not create the database. */
async function hasAccount(options: InitOptions): Promise<boolean> {
  let store: Store;
  try {
    store = await openForInit(options, { create: false });
  } catch (cause) {
    if (isQfError(cause, "ERR_NOT_INITIALISED")) return false;
    throw cause;
  }
  try {
    return (await store.read(listAccounts)).length > 0;
  } finally {
    await store.close();
  }
}

async function openForInit(options: InitOptions, { create }: { create: boolean }): Promise<Store> {
  const { dataDir, databaseUrl, clock = systemClock, log = silentLog } = options;
  const order = { dataDir, databaseUrl, clock, log, create };
  try {
    if (!create) return await openAnyStore(order);
    return await openWithMasterKey(order, options.masterKeyFile ?? defaultMasterKeyFile(dataDir));
  } catch (cause) {
    if (!isQfError(cause, "ERR_CONFLICT")) throw cause;
    throw new QfError("ERR_ALREADY_INITIALISED", cause.message, {
      hint: "open the set-up link it printed, or stop it first",
      cause,
    });
  }
}

function alreadyInitialised(): QfError {
  return new QfError("ERR_ALREADY_INITIALISED", "management is initialised already", {
    hint: "use the owner's token, or give another --data-dir",
  });
}
