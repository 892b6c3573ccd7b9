import { expect, test } from "bun:test";
import { newId } from "../../../../src/base/random.ts";
import {
  addToRecording,
  countRecordings,
  deleteRecording,
  findRecording,
  insertRecordingPart,
  listRecordingParts,
  listRecordings,
  listRecordingsBefore,
  type RecordingFilter,
} from "../../../../src/management/db/tables/recordings.ts";
import { aManagement, anAccount } from "../../../support/management.ts";
import { aRecordingOf } from "../../../support/recording.ts";

test("a recording is added to once for each place, and not after its end", async () => {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  const { id, chain } = await aRecordingOf(store, accountId);
  const add = (first: number, status: "running" | "complete") =>
    store.transaction((tx) =>
      addToRecording(
        tx,
        { id, first },
        { nextChunk: first + 1, bytes: 1, chain, status, why: null, endedAt: null },
      ),
    );
  expect([await add(0, "running"), await add(0, "running"), await add(2, "running")]).toEqual([
    true,
    false,
    false,
  ]);
  expect([await add(1, "complete"), await add(2, "running")]).toEqual([true, false]);
});

test("parts go with their recording", async () => {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  const { id } = await aRecordingOf(store, accountId);
  const part = { recordingId: id, object: "o", sizes: [1, 2], digests: ["a", "b"] };
  await store.transaction(async (tx) => {
    for (const first of [2, 0]) await insertRecordingPart(tx, { ...part, first });
  });
  const parts = () => store.read((tx) => listRecordingParts(tx, id, { countMax: 9 }));
  expect((await parts()).map(({ first, sizes }) => [first, sizes])).toEqual([
    [0, [1, 2]],
    [2, [1, 2]],
  ]);
  expect(await store.transaction((tx) => deleteRecording(tx, id))).toBe(true);
  expect(await parts()).toEqual([]);
  expect(await store.read((tx) => findRecording(tx, id))).toBeUndefined();
});

test("recordings are listed by account, person, machine and age", async () => {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  const [userId, peerId] = [newId(), newId()];
  const mine = await aRecordingOf(store, accountId, { userId, startedAt: 100 });
  const there = await aRecordingOf(store, accountId, { peerId, startedAt: 200 });
  await aRecordingOf(store, (await anAccount(store, "else@example.com")).accountId, { userId, peerId });
  const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id).sort();
  const list = (filter: RecordingFilter) =>
    store.read(async (tx) => {
      const rows = await listRecordings(tx, accountId, filter, { limit: 9, after: null });
      expect(await countRecordings(tx, accountId, filter)).toBe(rows.length);
      return rows;
    });
  expect((await list({})).map(({ id }) => id)).toEqual([there.id, mine.id]);
  expect(ids(await list({ connectionId: mine.connectionId }))).toEqual([mine.id]);
  expect(ids(await list({ connectionId: mine.connectionId, sessionId: 1 }))).toEqual([]);
  expect(ids(await list({ userId }))).toEqual([mine.id]);
  expect(ids(await list({ peerId }))).toEqual([there.id]);
  expect(ids(await store.read((tx) => listRecordingsBefore(tx, accountId, 200, 9)))).toEqual([mine.id]);
});
