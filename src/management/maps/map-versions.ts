/**
 * The version of each peer's map: that of the last change of its content, stored in the database so that it
 * survives a restart. Many stamps of one change share one transaction.
 *
 * @module
 */

import type { AccountId, PeerId } from "../../wire/units.ts";
import type { Reader, Writer } from "../db/engine/transaction.ts";
import type { Store } from "../db/store.ts";
import { bumpVersion, findVersion } from "../db/tables/accounts.ts";
import { findMapVersions, type MapVersion, storeMapVersions } from "../db/tables/peers.ts";

/** Most stamps in one transaction. */
const BATCH_MAX = 500;
/**
 * Pause after a write, per stamp written, to gather further orders into one write. Many agents that come back
 * with an older map ask one after the other, and each write waits for the disk while nothing is answered. The
 * pause grows with the batch, so single changes hardly wait.
 */
const GATHER_MS_EACH = 3;
const GATHER_MS_MAX = 20;

export interface StampOrder {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly digest: string;
  /** The account version that the content was compiled at. */
  readonly version: number;
}

/** `stale`: the account has moved on or the peer is deleted. Compile again. */
export type StampOutcome =
  | { readonly kind: "stamped"; readonly version: number }
  | { readonly kind: "stale" };

export interface MapVersions {
  stamp(order: StampOrder): Promise<StampOutcome>;
}

interface Waiting {
  readonly order: StampOrder;
  readonly resolve: (outcome: StampOutcome) => void;
  readonly reject: (cause: unknown) => void;
}

export function createMapVersions(store: Store): MapVersions {
  const waiting: Waiting[] = [];
  let isRunning = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH_MAX);
      const hasWritten = await stampBatch(store, batch);
      if (!hasWritten || waiting.length >= BATCH_MAX) continue;
      await Bun.sleep(Math.min(GATHER_MS_MAX, batch.length * GATHER_MS_EACH));
    }
    isRunning = false;
  };
  return {
    stamp: (order) =>
      new Promise((resolve, reject) => {
        waiting.push({ order, resolve, reject });
        // Starts in a microtask, so that orders made together are written together.
        if (!isRunning) {
          isRunning = true;
          queueMicrotask(() => void run());
        }
      }),
  };
}

/** Stamps a batch. Returns whether anything had to be written. */
async function stampBatch(store: Store, batch: readonly Waiting[]): Promise<boolean> {
  const orders = batch.map(({ order }) => order);
  try {
    const known = await store.read((tx) => knownVersions(tx, orders));
    if (known !== null) {
      batch.forEach(({ resolve }, i) => {
        resolve({ kind: "stamped", version: known[i] ?? 0 });
      });
      return false;
    }
    const { outcomes, raised } = await store.transaction((tx) => stampAll(tx, orders));
    for (const [accountId, version] of raised) store.notify({ accountId, version });
    batch.forEach(({ resolve }, i) => {
      resolve(outcomes[i] ?? { kind: "stale" });
    });
  } catch (cause) {
    for (const { reject } of batch) reject(cause);
  }
  return true;
}

/**
 * The versions, if all contents are as last stamped. Then no write is needed, which others would wait for.
 */
async function knownVersions(tx: Reader, orders: readonly StampOrder[]): Promise<number[] | null> {
  const found = await findMapVersions(
    tx,
    orders.map(({ peerId }) => peerId),
  );
  const stamps = new Map(found.map((stamp) => [stamp.peerId, stamp]));
  const versions: number[] = [];
  for (const { peerId, digest } of orders) {
    const stamp = stamps.get(peerId);
    if (stamp?.digest !== digest) return null;
    versions.push(stamp.version);
  }
  return versions;
}

async function stampAll(
  tx: Writer,
  orders: readonly StampOrder[],
): Promise<{ outcomes: StampOutcome[]; raised: Map<AccountId, number> }> {
  const found = await findMapVersions(
    tx,
    orders.map(({ peerId }) => peerId),
  );
  const stamps = new Map(found.map((stamp) => [stamp.peerId, stamp]));
  const changed = new Map<PeerId, MapVersion>();
  const raised = new Map<AccountId, number>();
  const outcomes: StampOutcome[] = [];
  for (const order of orders) {
    const { peerId, digest } = order;
    const stamp = stamps.get(peerId);
    const version = stamp === undefined ? undefined : await versionFor(tx, order, stamp, raised);
    outcomes.push(version === undefined ? { kind: "stale" } : { kind: "stamped", version });
    if (version === undefined || stamp?.digest === digest) continue;
    stamps.set(peerId, { peerId, version, digest });
    changed.set(peerId, { peerId, version, digest });
  }
  await storeMapVersions(tx, [...changed.values()]);
  return { outcomes, raised };
}

/** The version to stamp. Undefined: the account has moved on. `raised`: accounts with a new version here. */
async function versionFor(
  tx: Writer,
  order: StampOrder,
  stamp: MapVersion,
  raised: Map<AccountId, number>,
): Promise<number | undefined> {
  if (stamp.digest === order.digest) return stamp.version;
  if (stamp.version < order.version) return order.version;
  const fresh = raised.get(order.accountId);
  if (fresh !== undefined && stamp.version < fresh) return fresh;
  if (((await findVersion(tx, order.accountId)) ?? 0) > (fresh ?? order.version)) return undefined;
  // Content that changed without a row (an expired revocation, a newer qf) gets a new account version.
  const version = await bumpVersion(tx, order.accountId);
  if (version !== undefined) raised.set(order.accountId, version);
  return version;
}
