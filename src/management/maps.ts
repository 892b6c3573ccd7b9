/**
 * Compiled maps: one per peer, made when asked for, kept until the account changes.
 *
 * The account is loaded once per version. A map's `version` is that of the last change of its own
 * content, so a change that does not concern a machine sends it nothing.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { QfError } from "../base/errors.ts";
import { sha256 } from "../base/random.ts";
import { type AccountIndex, compileMap, indexAccount } from "../policy/compile.ts";
import { type PolicySnapshot, prepareSnapshot } from "../policy/snapshot.ts";
import type { NetworkMap } from "../wire/network-map.ts";
import type { AccountId, PeerId } from "../wire/units.ts";
import { loadAccountRows, snapshotAccount } from "./account-snapshot.ts";
import type { KeyRing, Maps } from "./context.ts";
import { findVersion } from "./db/accounts.ts";
import type { Store } from "./db/store.ts";
import { createMapStamps } from "./map-stamps.ts";

/**
 * Entries (users, peers, rules) of all maps kept per account: bounds memory to some 100 MB. Above it
 * the oldest maps go and are compiled again when asked for.
 */
const ENTRIES_MAX = 200_000;
/** Compilations of one request overtaken by changes before it gives up. */
const ATTEMPTS_MAX = 20;

interface LoadedAccount {
  readonly version: number;
  readonly index: AccountIndex;
  /** Version and digest of each peer's map as stored when this was loaded. */
  readonly stamps: ReadonlyMap<PeerId, { readonly version: number; readonly digest: string }>;
  readonly kept: KeptMaps;
}

interface KeptMaps {
  /** Oldest first. */
  readonly maps: Map<PeerId, NetworkMap>;
  entries: number;
}

export function createMaps(deps: { store: Store; keys: KeyRing; origin: string }): Maps {
  const { store } = deps;
  const stamps = createMapStamps(store);
  const loaded = new Map<AccountId, Promise<LoadedAccount | undefined>>();
  const prepared = new WeakMap<NetworkMap, PolicySnapshot>();

  const accountAt = async (accountId: AccountId, version: number): Promise<LoadedAccount | undefined> => {
    const known = loaded.get(accountId);
    const account = await known?.catch(() => undefined);
    if (account !== undefined && account.version >= version) return account;
    // Somebody else may have begun to load meanwhile: one load serves all who wait.
    const begun = loaded.get(accountId);
    if (begun !== undefined && begun !== known) return begun;
    const loading = load(deps, accountId);
    loaded.set(accountId, loading);
    return loading;
  };

  const mapOf = async (accountId: AccountId, peerId: PeerId): Promise<NetworkMap | undefined> => {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const version = await store.read((tx) => findVersion(tx, accountId));
      if (version === undefined) return undefined;
      const account = await accountAt(accountId, version);
      if (account === undefined) return undefined;
      // A load that was under way already may be older than what was just read.
      if (account.version < version) continue;
      const cached = account.kept.maps.get(peerId);
      if (cached !== undefined) return cached;
      const compiled = compileMap(account.index, peerId);
      if (compiled === undefined) return undefined;
      const map = await stamped(account, compiled);
      if (map === undefined) continue;
      keep(account.kept, peerId, map);
      return map;
    }
    throw new QfError("ERR_UNAVAILABLE", "the account changes too fast to make a map of it");
  };

  const stamped = async (account: LoadedAccount, compiled: NetworkMap): Promise<NetworkMap | undefined> => {
    const { accountId, self } = compiled;
    const digest = sha256(JSON.stringify({ ...compiled, version: 0 }));
    const stamp = account.stamps.get(self.peerId);
    if (stamp?.digest === digest) return { ...compiled, version: stamp.version };
    const order = { accountId, peerId: self.peerId, digest, version: account.version };
    const outcome = await stamps.stamp(order);
    return outcome.kind === "stale" ? undefined : { ...compiled, version: outcome.version };
  };

  return {
    mapOf,
    snapshotOf: async (accountId, peerId) => {
      const map = await mapOf(accountId, peerId);
      if (map === undefined) return undefined;
      const known = prepared.get(map);
      if (known !== undefined) return known;
      const snapshot = prepareSnapshot(map);
      prepared.set(map, snapshot);
      return snapshot;
    },
  };
}

async function load(
  deps: { store: Store; keys: KeyRing; origin: string },
  accountId: AccountId,
): Promise<LoadedAccount | undefined> {
  const rows = await loadAccountRows(deps.store, accountId);
  if (rows === undefined) return undefined;
  // Keys come after the rows: newer ones than the version says are compiled again at their own change.
  const account = await snapshotAccount(rows, { ...deps, embeddedIssuer: `${deps.origin}/idp` });
  assert(account.version === rows.account.version, "a snapshot has the version of its rows");
  return {
    version: account.version,
    index: indexAccount(account),
    stamps: new Map(
      rows.peers.map((peer) => [peer.id, { version: peer.mapVersion, digest: peer.mapDigest }]),
    ),
    kept: { maps: new Map(), entries: 0 },
  };
}

function keep(kept: KeptMaps, peerId: PeerId, map: NetworkMap): void {
  forget(kept, peerId);
  kept.maps.set(peerId, map);
  kept.entries += entriesOf(map);
  for (const oldest of kept.maps.keys()) {
    if (kept.entries <= ENTRIES_MAX || oldest === peerId) return;
    forget(kept, oldest);
  }
}

function forget(kept: KeptMaps, peerId: PeerId): void {
  const map = kept.maps.get(peerId);
  if (map === undefined) return;
  kept.maps.delete(peerId);
  kept.entries -= entriesOf(map);
}

function entriesOf(map: NetworkMap): number {
  return 1 + [map.users, map.peers, map.rules].reduce((sum, part) => sum + Object.keys(part).length, 0);
}
