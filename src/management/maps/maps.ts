/**
 * Compiled maps of all accounts, made on request and cached until they change.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import { silentLog } from "../../base/log.ts";
import { type PolicySnapshot, prepareSnapshot } from "../../policy/decide/snapshot.ts";
import { accountReach } from "../../policy/maps/account-reach.ts";
import { openedFor } from "../../policy/maps/reachable.ts";
import type { NetworkMap } from "../../wire/network-map.ts";
import type { AccountId } from "../../wire/units.ts";
import type { KeyRing, Maps } from "../contracts/context.ts";
import type { Store } from "../db/store.ts";
import { findVersion } from "../db/tables/accounts.ts";
import { AccountMaps } from "./account-maps.ts";
import { createMapVersions } from "./map-versions.ts";

export interface MapsDeps {
  readonly store: Store;
  readonly keys: KeyRing;
  readonly origin: string;
  readonly log?: Log;
}

/** Listens to the store for as long as it is open. */
export function createMaps({ store, keys, origin, log = silentLog }: MapsDeps): Maps {
  const stamps = createMapVersions(store);
  const accounts = new Map<AccountId, AccountMaps>();
  const prepared = new WeakMap<NetworkMap, PolicySnapshot>();
  const deps = { store, keys, origin, embeddedIssuer: `${origin}/idp`, stamps };
  const ofAccount = (accountId: AccountId): AccountMaps => {
    const cached = accounts.get(accountId);
    if (cached !== undefined) return cached;
    const onFailure = (cause: unknown): void =>
      log.error("what changed of an account could not be read; it is tried again", { accountId }, cause);
    const maps = new AccountMaps(accountId, { ...deps, onFailure });
    accounts.set(accountId, maps);
    return maps;
  };
  store.onChange((accountId, version) => {
    accounts.get(accountId)?.onChange(version);
    if (version === 0) accounts.delete(accountId);
  });
  /** The account's maps. Undefined, and nothing is cached, for an account that does not exist. */
  const existing = async (accountId: AccountId): Promise<AccountMaps | undefined> => {
    if (accounts.has(accountId)) return ofAccount(accountId);
    const version = await store.read((tx) => findVersion(tx, accountId));
    return version === undefined ? undefined : ofAccount(accountId);
  };
  const mapOf: Maps["mapOf"] = async (accountId, peerId) => (await existing(accountId))?.mapOf(peerId);
  return {
    mapOf,
    knownMapOf: (accountId, peerId) => ofAccount(accountId).knownMapOf(peerId),
    watch: (accountId, peerId, onStale) => ofAccount(accountId).watch(peerId, onStale),
    openedFor: async (accountId, peerId) => {
      const source = (await (await existing(accountId))?.current())?.reachSource;
      return source === undefined ? new Set() : openedFor(source.index, source.rules, peerId);
    },
    reachOf: async (accountId, request) => {
      const source = (await (await existing(accountId))?.current())?.reachSource;
      return source === undefined ? undefined : accountReach(source, request);
    },
    snapshotOf: async (accountId, peerId) => {
      const map = await mapOf(accountId, peerId);
      if (map === undefined) return undefined;
      const cached = prepared.get(map);
      if (cached !== undefined) return cached;
      const snapshot = prepareSnapshot(map);
      prepared.set(map, snapshot);
      return snapshot;
    },
  };
}
