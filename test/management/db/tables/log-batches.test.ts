import { expect, test } from "bun:test";
import { hasBatch, insertBatch, listBatches } from "../../../../src/management/db/tables/log-batches.ts";
import { NO_BATCH } from "../../../../src/wire/log-entry.ts";
import { aManagement } from "../../../support/management.ts";

const peer = { id: "p34hgk3f9s8d7f6g5h4j", accountId: "d34hgk3f9s8d7f6g5h4j" };

test("batches of a machine are listed in order, from an event on, as far as a tree has them", async () => {
  const { store } = aManagement();
  const record = {
    first_seq: 1,
    hash: NO_BATCH,
    previous: NO_BATCH,
    peer_id: peer.id,
    management: "",
    signature: "",
  };
  await store.transaction(async (tx) => {
    for (const last_seq of [30, 10, 20]) await insertBatch(tx, peer, { ...record, last_seq }, last_seq * 2);
  });
  const list = (afterSeq: number, size: number) =>
    store.read(async (tx) => {
      return (await listBatches(tx, peer.id, { afterSeq, size, max: 2 })).map(({ lastSeq }) => lastSeq);
    });
  expect(await list(0, 100)).toEqual([10, 20]);
  expect(await list(10, 100)).toEqual([20, 30]);
  expect(await list(10, 59)).toEqual([20]);
  expect(await store.read((tx) => hasBatch(tx, peer.id, 20))).toBe(true);
  expect(await store.read((tx) => hasBatch(tx, peer.id, 21))).toBe(false);
});
