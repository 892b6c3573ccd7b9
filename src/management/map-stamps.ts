/**
 * The version of each peer's map: that of the last change of its content, kept in the database so
 * that it is the same after a restart. Many stamps of one change share one transaction.
 *
 * @module
 */

import type { AccountId, PeerId } from "../wire/units.ts";
import { bumpVersion, findVersion } from "./db/accounts.ts";
import { findPeer, updatePeer } from "./db/peers.ts";
import type { Store, Writer } from "./db/store.ts";

/** Stamps of one transaction. */
const BATCH_MAX = 500;

export interface StampOrder {
  readonly accountId: AccountId;
  readonly peerId: PeerId;
  readonly digest: string;
  /** Account version the content was compiled at. */
  readonly version: number;
}

/** `stale`: the account has moved on or the peer is gone; compile again. */
export type StampOutcome =
  | { readonly kind: "stamped"; readonly version: number }
  | { readonly kind: "stale" };

export interface MapStamps {
  stamp(order: StampOrder): Promise<StampOutcome>;
}

interface Waiting {
  readonly order: StampOrder;
  readonly resolve: (outcome: StampOutcome) => void;
  readonly reject: (cause: unknown) => void;
}

export function createMapStamps(store: Store): MapStamps {
  const waiting: Waiting[] = [];
  let isRunning = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (waiting.length > 0) await stampBatch(store, waiting.splice(0, BATCH_MAX));
    isRunning = false;
  };
  return {
    stamp: (order) =>
      new Promise((resolve, reject) => {
        waiting.push({ order, resolve, reject });
        // Started a moment later, so that what is asked for together is written together.
        if (!isRunning) {
          isRunning = true;
          queueMicrotask(() => void run());
        }
      }),
  };
}

async function stampBatch(store: Store, batch: readonly Waiting[]): Promise<void> {
  try {
    const { outcomes, raised } = await store.transaction(async (tx) => {
      const outcomes: StampOutcome[] = [];
      const raised = new Map<AccountId, number>();
      for (const { order } of batch) outcomes.push(await stampOne(tx, order, raised));
      return { outcomes, raised };
    });
    for (const [accountId, version] of raised) store.notify({ accountId, version });
    batch.forEach(({ resolve }, i) => {
      resolve(outcomes[i] ?? { kind: "stale" });
    });
  } catch (cause) {
    for (const { reject } of batch) reject(cause);
  }
}

async function stampOne(
  tx: Writer,
  order: StampOrder,
  raised: Map<AccountId, number>,
): Promise<StampOutcome> {
  const peer = await findPeer(tx, order.accountId, order.peerId);
  if (peer === undefined) return { kind: "stale" };
  if (peer.mapDigest === order.digest) return { kind: "stamped", version: peer.mapVersion };
  let { version } = order;
  if (peer.mapVersion >= version) {
    if (((await findVersion(tx, order.accountId)) ?? 0) > version) return { kind: "stale" };
    // Content that changed by itself (an expired revocation, a newer qf): a version of its own.
    version = (await bumpVersion(tx, order.accountId)) ?? version;
    raised.set(order.accountId, version);
  }
  await updatePeer(tx, order.accountId, order.peerId, { mapVersion: version, mapDigest: order.digest });
  return { kind: "stamped", version };
}
