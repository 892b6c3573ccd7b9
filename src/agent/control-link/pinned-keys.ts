/**
 * Keys of the pinned issuer, which this machine fetches itself. With `--require-idp-binding` it does not
 * trust management for them.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { isQfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { fetchIssuerKeys } from "../../identity/issuer-document.ts";
import { createStrictFetch } from "../../identity/strict-fetch.ts";
import type { PublicJwk } from "../../wire/network-map.ts";

/** How often keys are fetched without other cause. */
const REFRESH_MS = 3_600_000;
/** Shortest time between two fetches. Tokens with unknown keys cannot make us fetch more often. */
const COOLDOWN_MS = 30_000;

export interface PinnedKeys {
  /** The keys last fetched from `issuer`. Empty before the first success, which admits nobody. */
  keysOf(issuer: string): readonly PublicJwk[];
  /** Fetches the keys unless a fetch was tried just now. Never rejects. */
  refresh(issuer: string): Promise<void>;
  /** Sets the issuer whose keys are kept fresh, from the flags. Null: none. */
  follow(issuer: string | null): void;
  close(): void;
}

export interface PinnedKeysOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch?: typeof fetch;
}

export function createPinnedKeys(options: PinnedKeysOptions): PinnedKeys {
  const { clock, log } = options;
  const doFetch = createStrictFetch(options.fetch ?? fetch);
  let held: { readonly issuer: string; readonly keys: readonly PublicJwk[] } | null = null;
  let tried: { readonly issuer: string; readonly atMs: number; readonly done: Promise<void> } | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;
  let followed: string | null = null;

  async function load(issuer: string): Promise<void> {
    try {
      const keys = (await fetchIssuerKeys(issuer, doFetch)).map(({ jwk }) => jwk);
      held = { issuer, keys };
    } catch (cause) {
      const message = isQfError(cause) ? cause.message : "it failed";
      log.warn("the keys of the pinned issuer could not be fetched", { issuer, message }, cause);
    }
  }

  function refresh(issuer: string): Promise<void> {
    const nowMs = clock.monotonicMs();
    if (tried?.issuer === issuer && nowMs - tried.atMs < COOLDOWN_MS) return tried.done;
    tried = { issuer, atMs: nowMs, done: load(issuer) };
    return tried.done;
  }

  return {
    keysOf: (issuer) => (held?.issuer === issuer ? held.keys : []),
    refresh,
    follow(issuer) {
      if (issuer === followed) return;
      followed = issuer;
      clearInterval(timer);
      if (issuer === null) return;
      void refresh(issuer);
      timer = setInterval(() => void refresh(issuer), REFRESH_MS);
    },
    close: () => clearInterval(timer),
  };
}
