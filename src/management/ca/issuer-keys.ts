/**
 * The keys of an external provider: fetched, stored, kept as long as a cached login may need them.
 *
 * Asked again every quarter of an hour, and when a token names a key nobody knows, but then at most
 * once a minute: a flood of made-up key ids costs the provider nothing.
 *
 * @module
 */
import { type Clock, nowSeconds } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type FetchedKey, fetchIssuerKeys } from "../../identity/issuer-document.ts";
import type { PublicJwk } from "../../wire/network-map.ts";
import type { AccountId } from "../../wire/units.ts";
import type { Store } from "../db/engine/store.ts";
import { findAccount, listAccounts } from "../db/tables/accounts.ts";
import { systemInitiator } from "../db/tables/audit-events.ts";
import { forgetIssuerKeys, listIssuerKeys, noteIssuerKeys } from "../db/tables/keys.ts";
import { filled } from "../settings.ts";

const REFRESH_MS = 15 * 60_000;
const COOLDOWN_MS = 60_000;
/** A key is noted as seen at each refresh; one that is a day late was really gone. */
const GRACE_SECONDS = 86_400;

export interface IssuerKeys {
  /** Current keys and old ones within the login cap. Fetches when none are stored. */
  keysOf(accountId: AccountId): Promise<readonly PublicJwk[]>;
  /** Fetches now, unless that was done within the last minute. Returns whether a key was new. */
  refreshForUnknownKey(accountId: AccountId): Promise<boolean>;
  /** Refreshes from time to time until `stop`. */
  start(): void;
  stop(): void;
}

export interface IssuerKeysDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly issuer: string;
  /** Bounded in time and size. */
  readonly fetch: typeof fetch;
}

export function createIssuerKeys(deps: IssuerKeysDeps): IssuerKeys {
  let timer: ReturnType<typeof setInterval> | undefined;
  let lastTryMs = Number.NEGATIVE_INFINITY;
  let running: Promise<boolean> | undefined;

  /** One fetch at a time, shared by all who wait for it. */
  function refresh(): Promise<boolean> {
    running ??= refreshAll(deps).finally(() => {
      running = undefined;
    });
    lastTryMs = deps.clock.monotonicMs();
    return running;
  }

  return {
    async keysOf(accountId) {
      const stored = await storedKeys(deps, accountId);
      const isCoolingDown = running === undefined && deps.clock.monotonicMs() - lastTryMs < COOLDOWN_MS;
      if (stored.length > 0 || isCoolingDown) return stored;
      await refresh().catch((cause) => warn(deps, cause));
      return storedKeys(deps, accountId);
    },
    async refreshForUnknownKey() {
      if (running === undefined && deps.clock.monotonicMs() - lastTryMs < COOLDOWN_MS) return false;
      return refresh().catch((cause) => {
        warn(deps, cause);
        return false;
      });
    },
    start() {
      const tick = (): void => void refresh().catch((cause) => warn(deps, cause));
      tick();
      timer = setInterval(tick, REFRESH_MS);
      timer.unref();
    },
    stop() {
      clearInterval(timer);
    },
  };
}

function warn(deps: IssuerKeysDeps, cause: unknown): void {
  deps.log.warn("identity provider's keys not fetched", { issuer: deps.issuer }, cause);
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
