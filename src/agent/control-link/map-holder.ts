/**
 * The network map from which this machine decides: in memory, with a copy on disk and its age.
 *
 * A map is confirmed whenever management says that it is current. Its age is the larger of what the wall
 * clock and the monotonic clock say, so setting a clock back prolongs nothing. A map older than the last one
 * taken is refused, even when that one was lost.
 *
 * @module
 */
import { unlink } from "node:fs/promises";
import { type Clock, nowSeconds } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type PolicySnapshot, prepareSnapshot } from "../../policy/decide/snapshot.ts";
import { applyDelta } from "../../policy/maps/map-delta.ts";
import type { Enrolled, StoredMap } from "../../wire/agent-state-file.ts";
import { digestOfMap } from "../../wire/map-digest.ts";
import type { NetworkMap, NetworkMapDelta } from "../../wire/network-map.ts";
import { PROTOCOL_VERSION } from "../../wire/version.ts";
import { type LastMap, type StatePaths, writeConfirmation, writeMap } from "../state/state.ts";

/** Why a map was refused. Shown in `status`. */
export type MapRefusal = "newer_protocol" | "other_account" | "other_peer" | "older_epoch" | "older_version";

export interface MapHolder {
  /** Null before the first map. */
  snapshot(): PolicySnapshot | null;
  /** Position to resume from. Zeros: no map. */
  position(): { readonly epoch: number; readonly version: number };
  /** Seconds since management last called the map current. Infinity without a map. */
  ageSeconds(): number;
  /** Takes a whole map. Resolves once it is in effect and on disk, with the refusal or null. */
  replace(map: NetworkMap): Promise<MapRefusal | null>;
  /**
   * Applies a delta. False: it does not fit the current map, or the result does not have `digest` or would be
   * refused by `replace`. Nothing has changed then, and the caller asks for the whole map.
   */
  apply(delta: NetworkMapDelta, digest: string): Promise<boolean>;
  /** Records that management called the current map up to date, `ageSeconds` ago. */
  confirm(ageSeconds?: number): void;
  /** Stops all writes to disk: the folder now belongs to another agent. */
  detach(): void;
  /** Forgets the map, because the machine has left the account. */
  clear(): Promise<void>;
  waitForVersion(version: number, timeoutMs: number): Promise<void>;
  /** Calls `listener` after each change, when the new map is already in effect. Returns how to stop. */
  onChange(listener: () => void): () => void;
  /** Waits until everything is on disk. */
  flush(): Promise<void>;
}

export interface MapHolderOptions {
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly log: Log;
  readonly enrolled: Pick<Enrolled, "accountId" | "origin" | "peerId" | "movedFrom">;
  readonly last: LastMap;
}

/** Shortest and longest time between two confirmations written to disk, in seconds. */
const NOTE_SECONDS_MIN = 5;
const NOTE_SECONDS_MAX = 60;
/** A confirmation this far in the future means that the clock was set back, so its age is unknown. */
const FUTURE_SECONDS_MAX = 60;
/** Bounds all waiters for a version. Sign-ins have a bound of their own. */
const WAITERS_MAX = 4096;

export function createMapHolder(options: MapHolderOptions): MapHolder {
  return new FileMapHolder(options);
}

class FileMapHolder implements MapHolder {
  readonly #options: MapHolderOptions;
  #snapshot: PolicySnapshot | null = null;
  /** The oldest position that is still accepted, kept even when the map itself is lost. */
  #floor = { epoch: 0, version: 0 };
  #confirmedWallSeconds = 0;
  /** Null: an earlier process confirmed it, so only the wall clock can tell. */
  #confirmedMonotonicMs: number | null = null;
  #notedWallSeconds = 0;
  #isDetached = false;
  #writing: Promise<void> = Promise.resolve();
  #waiters: { version: number; wake: () => void }[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(options: MapHolderOptions) {
    this.#options = options;
    const { stored, confirmation } = options.last;
    if (confirmation !== undefined) {
      this.#floor = { epoch: confirmation.epoch, version: confirmation.version };
    }
    if (stored === undefined || this.#refuse(asMoved(stored.map, options.enrolled)) !== null) return;
    this.#snapshot = prepareSnapshot(stored.map);
    const isSame = confirmation?.version === stored.map.version && confirmation.epoch === stored.map.epoch;
    this.#confirmedWallSeconds = Math.max(
      stored.confirmedAtSeconds,
      isSame ? confirmation.confirmedAtSeconds : 0,
    );
    this.#notedWallSeconds = this.#confirmedWallSeconds;
    this.#floor = { epoch: stored.map.epoch, version: stored.map.version };
  }

  snapshot(): PolicySnapshot | null {
    return this.#snapshot;
  }

  position(): { epoch: number; version: number } {
    const map = this.#snapshot?.map;
    return map === undefined ? { epoch: 0, version: 0 } : { epoch: map.epoch, version: map.version };
  }

  ageSeconds(): number {
    if (this.#snapshot === null) return Number.POSITIVE_INFINITY;
    const { clock } = this.#options;
    const byWall = clock.nowMs() / 1000 - this.#confirmedWallSeconds;
    if (this.#confirmedMonotonicMs !== null) {
      return Math.max(0, byWall, (clock.monotonicMs() - this.#confirmedMonotonicMs) / 1000);
    }
    return byWall < -FUTURE_SECONDS_MAX ? Number.POSITIVE_INFINITY : Math.max(0, byWall);
  }

  async replace(map: NetworkMap): Promise<MapRefusal | null> {
    const refusal = this.#refuse(map);
    if (refusal !== null) return refusal;
    await this.#use(map);
    return null;
  }

  async apply(delta: NetworkMapDelta, digest: string): Promise<boolean> {
    const before = this.#snapshot?.map;
    const after = before === undefined ? null : applyDelta(before, delta);
    if (after === null || digestOfMap(after) !== digest || this.#refuse(after) !== null) return false;
    await this.#use(after);
    return true;
  }

  confirm(ageSeconds = 0): void {
    const map = this.#snapshot?.map;
    if (map === undefined) return;
    const { clock } = this.#options;
    this.#confirmedWallSeconds = clock.nowMs() / 1000 - ageSeconds;
    this.#confirmedMonotonicMs = clock.monotonicMs() - ageSeconds * 1000;
    const least = Math.min(map.settings.maxStaleSeconds, map.settings.maxStaleRootSeconds);
    const everySeconds = Math.min(NOTE_SECONDS_MAX, Math.max(NOTE_SECONDS_MIN, least / 20));
    if (Math.abs(this.#confirmedWallSeconds - this.#notedWallSeconds) >= everySeconds) this.#note(map);
  }

  async clear(): Promise<void> {
    const { paths } = this.#options;
    this.#snapshot = null;
    this.#changed();
    this.#write(async () => {
      await unlink(paths.map).catch(() => {});
    });
    await this.#writing;
  }

  detach(): void {
    this.#isDetached = true;
  }

  async waitForVersion(version: number, timeoutMs: number): Promise<void> {
    if (this.position().version >= version || this.#waiters.length >= WAITERS_MAX) return;
    await new Promise<void>((resolve) => {
      const waiter = { version, wake: () => {} };
      const timer = setTimeout(() => waiter.wake(), timeoutMs);
      waiter.wake = () => {
        clearTimeout(timer);
        this.#waiters = this.#waiters.filter((one) => one !== waiter);
        resolve();
      };
      this.#waiters.push(waiter);
    });
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async flush(): Promise<void> {
    const map = this.#snapshot?.map;
    if (map !== undefined && this.#confirmedWallSeconds > this.#notedWallSeconds) this.#note(map);
    await this.#writing;
  }

  #refuse(map: NetworkMap): MapRefusal | null {
    const { enrolled } = this.#options;
    if (map.protocolVersion > PROTOCOL_VERSION) return "newer_protocol";
    if (map.accountId !== enrolled.accountId || map.origin !== enrolled.origin) return "other_account";
    if (map.self.peerId !== enrolled.peerId) return "other_peer";
    if (map.epoch < this.#floor.epoch) return "older_epoch";
    if (map.epoch === this.#floor.epoch && map.version < this.#floor.version) return "older_version";
    return null;
  }

  /** Puts the map into effect before it goes to disk, so that no revocation waits for the disk. */
  async #use(map: NetworkMap): Promise<void> {
    const { paths, clock } = this.#options;
    this.#snapshot = prepareSnapshot(map);
    this.#floor = { epoch: map.epoch, version: map.version };
    this.#confirmedWallSeconds = clock.nowMs() / 1000;
    this.#confirmedMonotonicMs = clock.monotonicMs();
    this.#notedWallSeconds = this.#confirmedWallSeconds;
    this.#changed();
    const stored: StoredMap = { format: 1, confirmedAtSeconds: nowSeconds(clock), map };
    this.#write(async () => {
      // A newer map has arrived and is written next.
      if (this.#snapshot?.map !== map) return;
      await writeMap(paths, stored);
      const { confirmedAtSeconds } = stored;
      await writeConfirmation(paths, {
        format: 1,
        confirmedAtSeconds,
        epoch: map.epoch,
        version: map.version,
      });
    });
    await this.#writing;
  }

  #changed(): void {
    const { version } = this.position();
    for (const waiter of this.#waiters.filter((one) => one.version <= version)) waiter.wake();
    for (const listener of this.#listeners) listener();
  }

  #note(map: NetworkMap): void {
    const { paths } = this.#options;
    const confirmedAtSeconds = Math.floor(this.#confirmedWallSeconds);
    this.#notedWallSeconds = this.#confirmedWallSeconds;
    const { epoch, version } = map;
    this.#write(() => writeConfirmation(paths, { format: 1, confirmedAtSeconds, epoch, version }));
  }

  /** Runs writes one at a time. A failure is only logged, since decisions are made from memory. */
  #write(task: () => Promise<void>): void {
    if (this.#isDetached) return;
    this.#writing = this.#writing.then(task).catch((cause: unknown) => {
      this.#options.log.error("the network map could not be written to disk", {}, cause);
    });
  }
}

/** Staleness of the map. 0: fresh; 1: too old for uid 0; 2: too old for every user. */
export function staleness(maps: MapHolder): 0 | 1 | 2 {
  const settings = maps.snapshot()?.map.settings;
  if (settings === undefined) return 2;
  const age = maps.ageSeconds();
  if (age > settings.maxStaleSeconds) return 2;
  return age > settings.maxStaleRootSeconds ? 1 : 0;
}

/** Lets a stored map from before management's move count until a map from the new address arrives. */
function asMoved(map: NetworkMap, { origin, movedFrom }: MapHolderOptions["enrolled"]): NetworkMap {
  return movedFrom?.origin === map.origin ? { ...map, origin } : map;
}
