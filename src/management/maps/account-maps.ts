/**
 * The maps of one account's peers, updated from version to version: reads changes from the record
 * (`db/tables/map-changes.ts`) and notifies the watchers of peers whose maps they may affect.
 *
 * This is a cache of the database. Where the record does not reach back far enough, it rereads everything. A
 * map's `version` is that of the last change of its own content (`map-versions.ts`). Read `mapOf`, then
 * `#advance`.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";
import type { AccountChange } from "../../policy/maps/account-change.ts";
import { AccountView } from "../../policy/maps/account-view.ts";
import { digestOfMap } from "../../wire/map-digest.ts";
import type { MapRule, NetworkMap } from "../../wire/network-map.ts";
import type { AccountId, PeerId } from "../../wire/units.ts";
import type { Store } from "../db/store.ts";
import { findVersion } from "../db/tables/accounts.ts";
import type { LoginRow } from "../db/tables/logins.ts";
import {
  type ChangedAccount,
  type KnownAccount,
  readAccount,
  type SettledRows,
  type WholeAccount,
} from "./account-rows.ts";
import { type AccountDeps, commonOfAccount, entitiesOf } from "./account-snapshot.ts";
import { createMapCache, type MapCache } from "./map-cache.ts";
import type { MapVersions } from "./map-versions.ts";

/** Attempts to compile a map that changes keep overtaking. */
const ATTEMPTS_MAX = 20;
/** Watchers called in one turn of the event loop. */
const TOLD_AT_ONCE = 200;
/** Delay before changes that could not be read are read again. */
const RETRY_MS = 1_000;

export interface AccountMapsDeps extends AccountDeps {
  readonly store: Store;
  readonly stamps: MapVersions;
  /** Called when changes could not be read. They are retried. */
  onFailure(cause: unknown): void;
}

interface Loaded {
  version: number;
  settled: SettledRows;
  revokedLogins: readonly LoginRow[];
  readonly live: AccountView;
  readonly kept: MapCache;
  /** Machine → devices it vouches for, and device → that machine. */
  readonly vouchedBy: Map<PeerId, Set<PeerId>>;
  readonly voucherOf: Map<PeerId, PeerId>;
  readonly stamps: Map<PeerId, { readonly version: number; readonly digest: string }>;
}

export class AccountMaps {
  readonly #accountId: AccountId;
  readonly #deps: AccountMapsDeps;
  #loaded: Loaded | null = null;
  #advancing: Promise<void> | null = null;
  #isGone = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #watchers = new Map<PeerId, Set<() => void>>();
  /** Whether other processes stamp maps too, so that the last stamp here may not be the last. */
  readonly #isShared: boolean;

  constructor(accountId: AccountId, deps: AccountMapsDeps) {
    this.#accountId = accountId;
    this.#deps = deps;
    this.#isShared = deps.store.cluster !== null;
  }

  /** The map with everything committed now. Throws ERR_UNAVAILABLE when changes never stop. */
  async mapOf(peerId: PeerId): Promise<NetworkMap | undefined> {
    const version = await this.#deps.store.read((tx) => findVersion(tx, this.#accountId));
    if (version === undefined) return undefined;
    await this.#scope(version);
    return await this.knownMapOf(peerId);
  }

  /** The whole account with everything committed now. Compiles no map and writes nothing. */
  async current(): Promise<AccountView | undefined> {
    const version = await this.#deps.store.read((tx) => findVersion(tx, this.#accountId));
    if (version === undefined) return undefined;
    await this.#scope(version);
    return this.#loaded?.live;
  }

  /** The map as of the last change read, for a watcher that was just notified of it. */
  async knownMapOf(peerId: PeerId): Promise<NetworkMap | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (this.#loaded === null) await this.#scope(0);
      const loaded = this.#loaded;
      if (loaded === null || this.#isGone) return undefined;
      const cached = loaded.kept.get(peerId);
      if (cached !== undefined) return cached;
      const compiled = loaded.live.compile(peerId, loaded.version);
      if (compiled === undefined) return undefined;
      const digest = digestOfMap(compiled);
      const version = await this.#stamp(loaded, { peerId, digest, version: loaded.version });
      if (version === undefined) {
        await this.#advance();
        continue;
      }
      // Changes may have arrived while the stamp was written.
      const now = loaded === this.#loaded ? loaded.live.compile(peerId, version) : undefined;
      if (now === undefined || digestOfMap(now) !== digest) continue;
      return loaded.kept.put(peerId, now);
    }
    throw new QfError("ERR_UNAVAILABLE", "the account changes too fast to make a map of it");
  }

  /** Calls `onStale` whenever the peer's map may have changed. Returns the function that unsubscribes. */
  watch(peerId: PeerId, onStale: () => void): () => void {
    const watchers = this.#watchers.get(peerId) ?? new Set();
    this.#watchers.set(peerId, watchers.add(onStale));
    // Another process may have watched the peer until now, and stamped later versions.
    if (this.#isShared && watchers.size === 1) this.#loaded?.kept.delete(peerId);
    this.#loaded?.kept.pin(peerId);
    return () => {
      watchers.delete(onStale);
      if (watchers.size > 0 || this.#watchers.get(peerId) !== watchers) return;
      this.#watchers.delete(peerId);
      this.#loaded?.kept.unpin(peerId);
    };
  }

  /** Tells that the account is at `version` now. 0: it was deleted. */
  onChange(version: number): void {
    if (version === 0) {
      this.#isGone = true;
      this.#tell("all");
    } else if (this.#loaded !== null) {
      this.#scope(version).catch((cause: unknown) => this.#again(cause));
    }
  }

  #again(cause: unknown): void {
    this.#deps.onFailure(cause);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#advance().catch((again: unknown) => this.#again(again));
    }, RETRY_MS);
    this.#retry.unref();
  }

  async #scope(version: number): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (this.#isGone || (this.#loaded !== null && this.#loaded.version >= version)) return;
      // A read under way may have begun before this version was committed.
      await (this.#advancing ?? this.#advance());
    }
  }

  /** Reads changes and applies them, one run at a time: a call during a run starts another after it. */
  #advance(): Promise<void> {
    const before = this.#advancing ?? Promise.resolve();
    const next = before
      .catch(() => {})
      .then(() => this.#readChanges())
      .finally(() => {
        if (this.#advancing === next) this.#advancing = null;
      });
    this.#advancing = next;
    return next;
  }

  async #readChanges(): Promise<void> {
    const { store } = this.#deps;
    const known = this.#loaded === null ? null : knownAccount(this.#loaded);
    const rows = await store.snapshot((tx) => readAccount(tx, this.#accountId, known));
    if (rows === undefined) {
      this.#isGone = true;
      this.#tell("all");
      return;
    }
    const revokedLogins = rows.revokedLogins ?? this.#loaded?.revokedLogins ?? [];
    // Keys are read after the rows. Keys newer than `version` are applied again with their own change.
    const common = await commonOfAccount(rows, revokedLogins, this.#deps);
    this.#loaded ??= this.#empty(common, rows);
    const loaded = this.#loaded;
    loaded.version = rows.account.version;
    loaded.revokedLogins = revokedLogins;
    if (rows.kind === "whole") loaded.settled = rows.settled;
    noteVouching(loaded, rows);
    const affected = loaded.live.apply({ common, ...this.#change(loaded, rows) });
    if (affected === "all") loaded.kept.clear();
    else for (const peerId of affected) loaded.kept.delete(peerId);
    this.#tell(affected);
  }

  #empty(common: AccountChange["common"], rows: WholeAccount | ChangedAccount): Loaded {
    const live = new AccountView(common);
    const kept = createMapCache((peerId) => live.forget(peerId));
    for (const peerId of this.#watchers.keys()) kept.pin(peerId);
    const settled = {
      allGroupId: null,
      isEveryoneApproved: false,
      allowBrowsers: true,
      loginSecondsMax: 0,
      postureChecks: [],
      requires: new Map(),
    };
    const stamps = rows.part.peers.map(
      ({ id, mapVersion, mapDigest }) => [id, { version: mapVersion, digest: mapDigest }] as const,
    );
    return {
      version: 0,
      settled,
      revokedLogins: [],
      live,
      kept,
      vouchedBy: new Map(),
      voucherOf: new Map(),
      stamps: new Map(stamps),
    };
  }

  #change(loaded: Loaded, rows: WholeAccount | ChangedAccount): Omit<AccountChange, "common"> {
    const { users, peers, rules } = entitiesOf(rows.part, loaded.settled, this.#deps);
    const known = loaded.live.ids();
    const isWhole = rows.kind === "whole";
    const ruleIds = isWhole ? [] : [...rows.ruleIds, ...loaded.live.rulesOf(new Set(rows.policyIds))];
    for (const peerId of isWhole ? [] : rows.peerIds) {
      if (!rows.part.existing.has(peerId)) loaded.stamps.delete(peerId);
    }
    return {
      users: changesOf(isWhole ? known.users : rows.userIds, users),
      peers: changesOf(isWhole ? known.peers : rows.peerIds, peers),
      rules: changesOf<MapRule>(isWhole ? known.rules : ruleIds, rules),
    };
  }

  /** The version stamped on this content. Undefined: the account has moved on. */
  async #stamp(
    loaded: Loaded,
    { peerId, digest, version }: { peerId: PeerId; digest: string; version: number },
  ): Promise<number | undefined> {
    const known = loaded.stamps.get(peerId);
    if (known?.digest === digest && !this.#isShared) return known.version;
    const order = { accountId: this.#accountId, peerId, digest, version };
    const outcome = await this.#deps.stamps.stamp(order);
    if (outcome.kind === "stale") return undefined;
    loaded.stamps.set(peerId, { version: outcome.version, digest });
    return outcome.version;
  }

  /** Calls watchers in batches, so that other work gets its turn in between. */
  #tell(affected: ReadonlySet<PeerId> | "all"): void {
    const whom = [...(affected === "all" ? this.#watchers.keys() : affected)];
    const tellFrom = (start: number): void => {
      for (const peerId of whom.slice(start, start + TOLD_AT_ONCE)) {
        for (const onStale of [...(this.#watchers.get(peerId) ?? [])]) onStale();
      }
      if (start + TOLD_AT_ONCE < whom.length) setImmediate(() => tellFrom(start + TOLD_AT_ONCE));
    };
    tellFrom(0);
  }
}

function knownAccount({ version, settled, vouchedBy }: Loaded): KnownAccount {
  return { version, settled, vouchedBy: (machineId) => vouchedBy.get(machineId) ?? [] };
}

/** Ids with their entities. Null: deleted. */
function changesOf<T extends { readonly id: string }>(
  ids: Iterable<string>,
  entities: readonly T[],
): Map<string, T | null> {
  const changes = new Map<string, T | null>([...ids].map((id) => [id, null]));
  for (const entity of entities) changes.set(entity.id, entity);
  return changes;
}

function noteVouching({ vouchedBy, voucherOf }: Loaded, rows: WholeAccount | ChangedAccount): void {
  const gone = rows.kind === "whole" ? [...voucherOf.keys()] : rows.peerIds;
  for (const peerId of gone) {
    vouchedBy.get(voucherOf.get(peerId) ?? "")?.delete(peerId);
    voucherOf.delete(peerId);
  }
  for (const { id, vouchedByPeerId } of rows.part.peers) {
    if (vouchedByPeerId === null) continue;
    voucherOf.set(id, vouchedByPeerId);
    vouchedBy.set(vouchedByPeerId, (vouchedBy.get(vouchedByPeerId) ?? new Set()).add(id));
  }
}
