/**
 * The keys of an external provider: fetched, stored, and kept for as long as a cached login may need them.
 *
 * They are fetched every quarter of an hour, and when a token names an unknown key. The latter happens at
 * most once a minute, so that a flood of made-up key ids does not reach the provider. After a failure they
 * are fetched again soon, with growing waits, so that a provider that starts late is used as soon as it is
 * up.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import { isQfError, QfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { type FetchedKey, fetchIssuerKeys } from "../../identity/issuer-document.ts";
import type { PublicJwk } from "../../wire/network-map.ts";
import type { AccountId } from "../../wire/units.ts";
import { filled } from "../contracts/settings.ts";
import type { Store } from "../db/store.ts";
import { findAccount, listAccounts } from "../db/tables/accounts.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import { forgetIssuerKeys, listIssuerKeys, noteIssuerKeys } from "../db/tables/keys.ts";

const REFRESH_MS = 15 * 60_000;
const COOLDOWN_MS = 60_000;
/** Wait after a first failure; it doubles up to `COOLDOWN_MS`. */
const RETRY_MS = 500;
/** Each refresh notes when a key was seen. One not seen for a day longer than needed is really gone. */
const GRACE_SECONDS = 86_400;

export interface IssuerKeys {
  /** Current keys, and old ones within the login cap. Fetches if none are stored. */
  keysOf(accountId: AccountId): Promise<readonly PublicJwk[]>;
  /**
   * Fetches now, unless that was done within the last minute. Tokens received from the provider itself cannot
   * be made up, so they do not wait. Returns whether a key was new.
   */
  refreshForUnknownKey(source: TokenSource): Promise<boolean>;
  /** Why the last fetch failed. Null: it did not, or there was none. */
  lastFailure(): QfError | null;
  /** Refreshes from time to time until `stop`. */
  start(): void;
  stop(): void;
}

/** Source of a token with an unknown key. */
export type TokenSource = "provider" | "client";

export interface IssuerKeysDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly issuer: string;
  /** Bounded in time and size. */
  readonly fetch: typeof fetch;
}

export function createIssuerKeys(deps: IssuerKeysDeps): IssuerKeys {
  const fetching = createFetching(deps);
  return {
    async keysOf(accountId) {
      const stored = await storedKeys(deps, accountId);
      if (stored.length > 0 || fetching.isCoolingDown()) return stored;
      await fetching.refresh();
      return storedKeys(deps, accountId);
    },
    refreshForUnknownKey: async (source) =>
      (source === "provider" || !fetching.isCoolingDown()) && fetching.refresh(),
    lastFailure: () => fetching.failure(),
    start: () => fetching.start(),
    stop: () => fetching.stop(),
  };
}

/** Runs one fetch at a time, shared by all who wait for it, and decides when the next one may run. */
function createFetching(deps: IssuerKeysDeps) {
  const { clock } = deps;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastTryMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let failure: QfError | null = null;
  let running: Promise<boolean> | undefined;
  let isStopped = true;

  /** False: no key was new, or the fetch failed. */
  function refresh(): Promise<boolean> {
    if (running !== undefined) return running;
    lastTryMs = clock.monotonicMs();
    running = fetchNow().finally(() => {
      running = undefined;
      schedule();
    });
    return running;
  }

  async function fetchNow(): Promise<boolean> {
    try {
      const isAnyNew = await refreshAll(deps);
      failures = 0;
      failure = null;
      return isAnyNew;
    } catch (cause) {
      failures += 1;
      failure = noteFailure(deps, cause);
      return false;
    }
  }

  const waitMs = (): number =>
    failures === 0 ? COOLDOWN_MS : Math.min(COOLDOWN_MS, RETRY_MS * 2 ** (failures - 1));

  function schedule(): void {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(() => void refresh(), failures === 0 ? REFRESH_MS : waitMs());
    timer.unref();
  }

  return {
    refresh,
    isCoolingDown: () => running === undefined && clock.monotonicMs() - lastTryMs < waitMs(),
    failure: () => failure,
    start() {
      isStopped = false;
      void refresh();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

function noteFailure({ log, issuer }: IssuerKeysDeps, cause: unknown): QfError {
  const message = isQfError(cause) ? cause.message : "it failed";
  log.warn("identity provider's keys not fetched", { issuer, message }, cause);
  return new QfError("ERR_UNAVAILABLE", `the identity provider's keys could not be fetched: ${message}`, {
    hint: (isQfError(cause) ? cause.hint : undefined) ?? "try again in a moment",
    cause,
  });
}

async function storedKeys(deps: IssuerKeysDeps, accountId: AccountId): Promise<PublicJwk[]> {
  return deps.store.read(async (tx) => {
    const account = await findAccount(tx, accountId);
    if (account === undefined) return [];
    const keptSeconds = filled(account.settings).login_seconds_max + GRACE_SECONDS;
    const since = nowSeconds(deps.clock) - keptSeconds;
    return (await listIssuerKeys(tx, accountId, deps.issuer, since)).map((row) => row.jwk);
  });
}

async function refreshAll(deps: IssuerKeysDeps): Promise<boolean> {
  const keys: FetchedKey[] = await fetchIssuerKeys(deps.issuer, deps.fetch);
  let isAnyNew = false;
  for (const account of await deps.store.read(listAccounts)) {
    const options = { accountId: account.id, initiator: systemInitiator };
    const keptSeconds = filled(account.settings).login_seconds_max + GRACE_SECONDS;
    isAnyNew =
      (await deps.store.change(options, async (tx) => {
        const isNew = await noteIssuerKeys(tx, account.id, deps.issuer, keys);
        await forgetIssuerKeys(tx, account.id, nowSeconds(deps.clock) - keptSeconds);
        if (isNew) tx.affectMaps();
        return isNew;
      })) || isAnyNew;
  }
  return isAnyNew;
}
