/**
 * `serve --audit-file FILE`: appends every log entry to a file as it is stored, for a log collector. Only the
 * server's operator can set it; the API cannot.
 *
 * Entries are written in order and at least once. `FILE.cursor` records how far each account's log is
 * written, so that a restart resumes there. The file may be moved away at any time. Failed writes are tried
 * again.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { readJsonState, writeJsonAtomic } from "../../base/files.ts";
import type { Log } from "../../base/log.ts";
import { AuditCursorFile } from "../../wire/audit-cursor.ts";
import type { AccountId } from "../../wire/units.ts";
import type { AccountLogs } from "../contracts/account-logs.ts";
import type { Store } from "../db/store.ts";
import { listAccounts } from "../db/tables/accounts.ts";
import { type AccountLogsDeps, createAccountLogs } from "./account-logs.ts";
import { bundleLines } from "./bundle.ts";

const PAGE_ENTRIES = 500;
/** Interval of looking for entries that no listener reported, and of retries. */
const LOOK_MS = 5_000;

export interface AuditFile {
  /** How many entries are stored and not yet written. */
  lag(): Promise<number>;
  /** Writes all stored entries. Rejects when they cannot be written. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Appends to `path` from its cursor on, until closed. Rejects when the first write fails. */
export async function openAuditFile(path: string, deps: { store: Store; log: Log }): Promise<AuditFile> {
  const writer = new AuditFileWriter(path, deps);
  await writer.flush();
  writer.start();
  return writer;
}

/** Begins every account's log, and appends their entries to `path` if given. */
export async function startLogs(
  deps: AccountLogsDeps,
  path: string | undefined,
): Promise<{ readonly logs: AccountLogs; close(): Promise<void> }> {
  const logs = createAccountLogs(deps);
  await logs.start();
  const written = path === undefined ? null : await openAuditFile(path, deps);
  const close = async (): Promise<void> => {
    logs.stop();
    await written?.close();
  };
  return { logs, close };
}

class AuditFileWriter implements AuditFile {
  readonly #path: string;
  readonly #store: Store;
  readonly #log: Log;
  /** The last entry written, by account. Null: not read yet. */
  #cursor: Record<AccountId, number> | null = null;
  #running: Promise<void> = Promise.resolve();
  #isWaiting = false;
  #isFailing = false;
  #stop = (): void => {};

  constructor(path: string, { store, log }: { store: Store; log: Log }) {
    this.#path = path;
    this.#store = store;
    this.#log = log;
  }

  start(): void {
    const timer = setInterval(() => this.#wake(), LOOK_MS);
    timer.unref();
    const unsubscribe = this.#store.onAudit(() => this.#wake());
    this.#stop = () => {
      clearInterval(timer);
      unsubscribe();
    };
  }

  async lag(): Promise<number> {
    const cursor = await this.#readCursor();
    const accounts = await this.#store.read(listAccounts);
    return accounts.reduce((sum, { id, nextAuditSeq }) => sum + nextAuditSeq - 1 - (cursor[id] ?? 0), 0);
  }

  flush(): Promise<void> {
    const next = this.#running.then(() => this.#writeAll());
    this.#running = next.catch(() => {});
    return next;
  }

  async close(): Promise<void> {
    this.#stop();
    await this.flush().catch((cause: unknown) => this.#failed(cause));
  }

  /** Schedules a write. Entries that arrive before it starts are part of it. */
  #wake(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#running = this.#running.then(async () => {
      this.#isWaiting = false;
      await this.#writeAll().then(
        () => {
          this.#isFailing = false;
        },
        (cause: unknown) => this.#failed(cause),
      );
    });
  }

  #failed(cause: unknown): void {
    if (!this.#isFailing) this.#log.error("the audit file cannot be written; it is tried again", {}, cause);
    this.#isFailing = true;
  }

  async #writeAll(): Promise<void> {
    const cursor = await this.#readCursor();
    for (const { id } of await this.#store.read(listAccounts)) {
      while (await this.#writePage(id, cursor)) {}
    }
  }

  /** True: there may be more. */
  async #writePage(accountId: AccountId, cursor: Record<AccountId, number>): Promise<boolean> {
    const page = { after: cursor[accountId] ?? 0, limit: PAGE_ENTRIES };
    const { lines } = await this.#store.read((tx) => bundleLines(tx, accountId, page));
    const last = lines.at(-1);
    if (last === undefined) return false;
    const file = await open(this.#path, "a", 0o600);
    try {
      await file.writeFile(
        lines.map(({ line }) => `{"account_id":"${accountId}","entry":${line}}\n`).join(""),
      );
      await file.datasync();
    } finally {
      await file.close();
    }
    cursor[accountId] = last.seq;
    await writeJsonAtomic(`${this.#path}.cursor`, { format: 1, written: cursor }, 0o600);
    return true;
  }

  async #readCursor(): Promise<Record<AccountId, number>> {
    this.#cursor ??= { ...(await readJsonState(`${this.#path}.cursor`, AuditCursorFile))?.written };
    return this.#cursor;
  }
}
