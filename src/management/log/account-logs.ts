/**
 * The logs of all accounts: their beginnings, signing keys and checkpoints.
 *
 * A checkpoint is signed over the tree's tail inside a transaction, and stored before anyone sees it. Several
 * processes on one database take turns, so each size has one note.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import type { Ed25519Key } from "../../base/ed25519.ts";
import { QfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { logOrigin, type NoteKey, signCheckpoint } from "../../log/checkpoint.ts";
import { signMove } from "../../log/move.ts";
import type { ServedLog } from "../../wire/log-entry.ts";
import type { AccountId } from "../../wire/units.ts";
import { newLogKey, openEd25519 } from "../ca/account-keys.ts";
import type { AccountLogs } from "../contracts/account-logs.ts";
import type { Reader, Writer } from "../db/engine/transaction.ts";
import type { Store } from "../db/store.ts";
import { findAccount, listAccounts } from "../db/tables/accounts.ts";
import { appendEvents, systemInitiator } from "../db/tables/audit-events.ts";
import { insertSigningKeys, listSigningKeys, type SigningKeyRow } from "../db/tables/keys.ts";
import { findCheckpoint, insertCheckpoint, type StoredCheckpoint } from "../db/tables/log-checkpoints.ts";
import { listHandovers } from "../db/tables/log-keys.ts";
import { catchUp, findHead, insertHead, type LogHead, tailOf } from "../db/tables/log-tree.ts";
import { peerKeyEvent } from "../db/tables/new-peer.ts";
import { listPeers } from "../db/tables/peers.ts";
import { listMoves, takeUnlogged } from "./moves.ts";
import { forgetGoneAccounts, keepRetention } from "./retention.ts";

/** Interval of checkpoints while a log grows. A request for one may make it earlier. */
export const CHECKPOINT_MS = 60_000;

/** Interval of retention. */
const RETENTION_MS = 3_600_000;

export interface AccountLogsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Public origin of management. */
  readonly origin: string;
  readonly masterKey: Uint8Array;
}

export function createAccountLogs(deps: AccountLogsDeps): AccountLogs {
  return new StoredLogs(deps);
}

class StoredLogs implements AccountLogs {
  readonly #deps: AccountLogsDeps;
  readonly #begun = new Set<AccountId>();
  readonly #identities = new Map<AccountId, ServedLog>();
  readonly #listeners = new Set<(checkpoint: StoredCheckpoint) => void>();
  #retainedAtMs = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(deps: AccountLogsDeps) {
    this.#deps = deps;
  }

  async begin(accountId: AccountId): Promise<void> {
    if (this.#begun.has(accountId)) return;
    const { store, log } = this.#deps;
    const isNew = await store.transaction((tx) => this.#insert(tx, accountId));
    while (await store.transaction((tx) => catchUp(tx, accountId))) {
      log.info("events are brought into the log", { accountId });
    }
    if (isNew) await this.#recordPeerKeys(accountId);
    await this.#recordMoves(accountId);
    this.#begun.add(accountId);
  }

  /** Creates the log's key and head where they are missing. True: the log began just now. */
  async #insert(tx: Writer, accountId: AccountId): Promise<boolean> {
    if ((await findAccount(tx, accountId)) === undefined) throw noSuchLog();
    if ((await listSigningKeys(tx, accountId, "log")).length === 0) {
      await insertSigningKeys(tx, [newLogKey(this.#deps.masterKey, accountId, nowSeconds(tx.clock))]);
    }
    if ((await findHead(tx, accountId)) !== undefined) return false;
    await insertHead(tx, accountId, logOrigin(this.#deps.origin, accountId));
    return true;
  }

  /** Adds a leaf for each device key older than the log: a leaf is what puts a key into force. */
  async #recordPeerKeys(accountId: AccountId): Promise<void> {
    const { store } = this.#deps;
    const auditSeq = await store.transaction(async (tx) => {
      const peers = await listPeers(tx, accountId);
      return appendEvents(tx, accountId, systemInitiator, peers.map(peerKeyEvent));
    });
    if (auditSeq !== undefined) store.notify({ accountId, auditSeq });
  }

  /** Adds a leaf for each move of the server, signed by the log's key. */
  async #recordMoves(accountId: AccountId): Promise<void> {
    const { store } = this.#deps;
    const auditSeq = await store.transaction(async (tx) => {
      const { origin } = await requireHead(tx, accountId);
      const key = await this.#signingKey(tx, accountId);
      const events = (await takeUnlogged(tx, accountId)).map(({ logged: _, ...move }) => ({
        activity: "management.move" as const,
        targetId: accountId,
        meta: { from: move.from, to: move.to, until: new Date(move.until_seconds * 1000).toISOString() },
        data: signMove(origin, move, key),
      }));
      return events.length === 0 ? undefined : appendEvents(tx, accountId, systemInitiator, events);
    });
    if (auditSeq !== undefined) store.notify({ accountId, auditSeq });
  }

  async checkpoint(accountId: AccountId): Promise<StoredCheckpoint> {
    await this.begin(accountId);
    return await this.#make(accountId, 0);
  }

  newest(accountId: AccountId): Promise<StoredCheckpoint | undefined> {
    return this.#deps.store.read((tx) => findCheckpoint(tx, accountId));
  }

  /** The newest checkpoint if it is younger than `youngMs` or covers the whole log; else a new one. */
  async #make(accountId: AccountId, youngMs: number): Promise<StoredCheckpoint> {
    const { store } = this.#deps;
    // Try a read first: most of the time there is nothing to sign, and no writer has to wait.
    const known = await store.read((tx) => current(tx, accountId, youngMs));
    if (known !== undefined) return known;
    while (await store.transaction((tx) => catchUp(tx, accountId))) {}
    const { made, isNew } = await store.transaction((tx) => this.#sign(tx, accountId, youngMs));
    if (isNew) for (const listener of this.#listeners) listener(made);
    return made;
  }

  async #sign(
    tx: Writer,
    accountId: AccountId,
    youngMs: number,
  ): Promise<{ made: StoredCheckpoint; isNew: boolean }> {
    const known = await current(tx, accountId, youngMs);
    if (known !== undefined) return { made: known, isNew: false };
    const head = await requireHead(tx, accountId);
    const key = await this.#signingKey(tx, accountId);
    const { origin, size } = head;
    const note = signCheckpoint({ origin, size, root: tailOf(head).root() }, key);
    const made = { accountId, size, madeAtMs: tx.clock.nowMs(), note };
    await insertCheckpoint(tx, made);
    return { made, isNew: true };
  }

  async #signingKey(tx: Reader, accountId: AccountId): Promise<Ed25519Key> {
    return openEd25519(this.#deps.masterKey, await signingRow(tx, accountId));
  }

  async keys(accountId: AccountId): Promise<NoteKey[]> {
    await this.begin(accountId);
    return this.#deps.store.read(async (tx) => {
      const { origin } = await requireHead(tx, accountId);
      const rows = await listSigningKeys(tx, accountId, "log");
      return rows.map(({ publicKey }) => ({ name: origin, publicKey }));
    });
  }

  async identity(accountId: AccountId): Promise<ServedLog | undefined> {
    if (!this.#begun.has(accountId)) return undefined;
    this.#identities.set(accountId, this.#identities.get(accountId) ?? (await this.#readIdentity(accountId)));
    return this.#identities.get(accountId);
  }

  async #readIdentity(accountId: AccountId): Promise<ServedLog> {
    return this.#deps.store.read(async (tx) => {
      const { origin } = await requireHead(tx, accountId);
      const { publicKey: key } = await signingRow(tx, accountId);
      const handovers = await listHandovers(tx, accountId);
      const signer = await this.#signingKey(tx, accountId);
      const moves = (await listMoves(tx)).map(({ logged: _, ...move }) => signMove(origin, move, signer));
      return {
        origin,
        key,
        ...(handovers.length === 0 ? {} : { handovers }),
        ...(moves.length === 0 ? {} : { moves }),
      };
    });
  }

  onCheckpoint(listener: (checkpoint: StoredCheckpoint) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    // Another process may have changed its key.
    this.#deps.store.cluster?.onAccount(({ accountId }) => this.#identities.delete(accountId));
    for (const { id } of await this.#deps.store.read(listAccounts)) await this.begin(id);
    this.#timer ??= setInterval(() => {
      this.#beat().catch((cause: unknown) => {
        this.#deps.log.warn("no checkpoint of the log could be made", {}, cause);
      });
    }, CHECKPOINT_MS);
    this.#timer.unref();
  }

  async #beat(): Promise<void> {
    for (const { id } of await this.#deps.store.read(listAccounts)) {
      await this.begin(id);
      // Half the interval, since the timers of several processes are not in step.
      await this.#make(id, CHECKPOINT_MS / 2);
    }
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#retainedAtMs < RETENTION_MS) return;
    this.#retainedAtMs = nowMs;
    for (const { id } of await this.#deps.store.read(listAccounts)) await keepRetention(this.#deps.store, id);
    await forgetGoneAccounts(this.#deps.store);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** The newest checkpoint, unless the log has outgrown it and it is at least `youngMs` old. */
async function current(
  tx: Reader,
  accountId: AccountId,
  youngMs: number,
): Promise<StoredCheckpoint | undefined> {
  const newest = await findCheckpoint(tx, accountId);
  if (newest === undefined) return undefined;
  if (tx.clock.nowMs() - newest.madeAtMs < youngMs) return newest;
  const head = await findHead(tx, accountId);
  const account = await findAccount(tx, accountId);
  const isWhole = account === undefined || account.nextAuditSeq - 1 === newest.size;
  return head?.size === newest.size && isWhole ? newest : undefined;
}

async function signingRow(tx: Reader, accountId: AccountId): Promise<SigningKeyRow> {
  const row = (await listSigningKeys(tx, accountId, "log")).findLast(({ state }) => state === "active");
  if (row === undefined) throw new QfError("ERR_NOT_INITIALISED", "this account has no log key");
  return row;
}

/** Throws ERR_NOT_FOUND unless the account's log has begun. */
export async function requireHead(tx: Reader, accountId: AccountId): Promise<LogHead> {
  const head = await findHead(tx, accountId);
  if (head === undefined) throw noSuchLog();
  return head;
}

function noSuchLog(): QfError {
  return new QfError("ERR_NOT_FOUND", "there is no log of such an account");
}
