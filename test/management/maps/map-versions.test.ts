import { afterEach, expect, test } from "bun:test";
import type { Store } from "../../../src/management/db/store.ts";
import { createMapVersions, type StampOutcome } from "../../../src/management/maps/map-versions.ts";
import { aManagement, anAccount, aPeerOf } from "../../support/management.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

test("what is asked for soon after a write is written together, each with its own version", async () => {
  const { store } = aManagement();
  closers.push(() => store.close());
  const { accountId } = await anAccount(store);
  const peerIds: string[] = [];
  for (let i = 0; i < 40; i++) {
    peerIds.push((await aPeerOf(store, accountId, { name: `web${i}` })).id);
  }
  let writes = 0;
  const counting: Store = {
    ...store,
    transaction: (fn) => {
      writes += 1;
      return store.transaction(fn);
    },
  };
  const stamps = createMapVersions(counting);
  const stamp = (peerId: string, digest: string): Promise<StampOutcome> =>
    stamps.stamp({ accountId, peerId, digest, version: 7 });
  const [first = "", ...others] = peerIds;
  expect(await stamp(first, "a")).toEqual({ kind: "stamped", version: 7 });
  const asked: Promise<StampOutcome>[] = [];
  for (const peerId of others) {
    asked.push(stamp(peerId, "a"));
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
  expect(await Promise.all(asked)).toEqual(others.map(() => ({ kind: "stamped", version: 7 })));
  expect(writes).toBe(2);
  // Known already: nothing is written, and no version stands for two contents.
  expect(await stamp(first, "a")).toEqual({ kind: "stamped", version: 7 });
  expect(writes).toBe(2);
  expect(await stamp(first, "b")).not.toEqual({ kind: "stamped", version: 7 });
});
