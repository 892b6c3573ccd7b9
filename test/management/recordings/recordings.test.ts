import { beforeEach, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deleteAccount } from "../../../src/management/db/tables/accounts.ts";
import { listEvents } from "../../../src/management/db/tables/audit-events.ts";
import { findRecording, listRecordingParts } from "../../../src/management/db/tables/recordings.ts";
import { createRecordings, type RunningRecordings } from "../../../src/management/recordings/recordings.ts";
import { createFolderStore } from "../../../src/management/recordings/store.ts";
import type { RecordingPage } from "../../../src/wire/recording.ts";
import { aManagement, anAccount, type TestManagement } from "../../support/management.ts";
import { aRecordingMachine, RecordingMachine, type SignedUpload } from "../../support/recording-upload.ts";
import { tempFolder } from "../../support/temp-folder.ts";

let management: TestManagement;
let machine: RecordingMachine;
let folder: string;
let recordings: RunningRecordings;
const END = { end: { status: "complete", why: null } } as const;

beforeEach(async () => {
  management = aManagement();
  machine = await aRecordingMachine(management);
  folder = tempFolder();
  recordings = createRecordings(management, { store: createFolderStore(folder) });
});

const take = ({ body, signature }: SignedUpload) => recordings.take(body, signature);
const page = (from: number) => recordings.page(machine.recordingId, from);
const numbers = ({ chunks }: RecordingPage) => chunks.map(({ number }) => number);
const textOf = ({ chunks }: RecordingPage) =>
  chunks.map(({ data }) => Buffer.from(data, "base64").toString()).join("");
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => RecordingMachine.lines(from + i).toString()).join("");

test("pages lead from the first chunk to the last, from any chunk on", async () => {
  for (let first = 0; first < 48; first += 16) await take(machine.upload(first, 16));
  for (let first = 48; first < 90; first++) await take(machine.upload(first, 1));
  await take(machine.upload(90, 1, END));
  const first = await page(0);
  expect(textOf(first)).toBe(lines(0, first.next));
  expect(first.status).toBe("running");
  let read = textOf(first);
  for (let at = first; at.status === "running"; read += textOf(at)) at = await page(at.next);
  expect(read).toBe(lines(0, 91));
  for (const from of [1, 15, 16, 47, 50, 90]) expect(numbers(await page(from))[0]).toBe(from);
  expect(await page(91)).toMatchObject({ chunks: [], next: 91, status: "complete" });
});

test("chunks that unpack to far more than is stored of them fill a page like any others", async () => {
  const text = Buffer.from(`[0.0, "o", "${"y".repeat(60_000)}"]\n`);
  for (let first = 0; first < 64; first += 16) await take(machine.upload(first, 16, {}, () => text));
  await take(machine.upload(64, 0, END));
  let chunks = 0;
  for (let at = await page(0); at.chunks.length > 0; at = await page(at.next)) {
    const data = at.chunks.reduce((sum, one) => sum + one.data.length, 0);
    expect(data).toBeLessThan(1_100_000);
    chunks += at.chunks.length;
  }
  expect(chunks).toBe(64);
});

test("one that follows gets chunks as they come, and ends with the recording", async () => {
  await take(machine.upload(0, 1));
  const seen: number[][] = [];
  const signal = new AbortController().signal;
  const following = (async () => {
    for await (const one of recordings.follow(machine.recordingId, 0, signal)) seen.push(numbers(one));
  })();
  await take(machine.upload(1, 2));
  await take(machine.upload(3, 1, END));
  await following;
  expect(seen.flat()).toEqual([0, 1, 2, 3]);
});

test("one that follows ends when it goes away", async () => {
  await take(machine.upload(0, 1));
  const gone = new AbortController();
  const following = recordings.follow(machine.recordingId, 1, gone.signal);
  const next = following.next();
  gone.abort();
  expect((await next).done).toBe(true);
});

test("what was changed in the store is noticed and not shown", async () => {
  await take(machine.upload(0, 2));
  const [part] = await management.store.read((tx) =>
    listRecordingParts(tx, machine.recordingId, { countMax: 1 }),
  );
  writeFileSync(join(folder, part?.object ?? ""), Buffer.alloc(500));
  expect(page(0)).rejects.toMatchObject({ code: "ERR_STATE_DAMAGED" });
  expect(recordings.page("0".repeat(20), 0)).rejects.toMatchObject({ code: "ERR_NOT_FOUND" });
});

test("recordings are deleted when their account has kept them long enough, and the log says so", async () => {
  const { accountId } = machine.peer;
  await take(machine.upload(0, 2, END));
  const young = await aRecordingMachine(management, { accountId });
  await take(young.upload(0, 1, END));
  management.clock.jumpWallMs(89 * 86_400_000);
  await recordings.sweep();
  expect(await management.store.read((tx) => findRecording(tx, machine.recordingId))).toBeDefined();
  management.clock.jumpWallMs(2 * 86_400_000);
  await recordings.sweep();
  expect(await management.store.read((tx) => findRecording(tx, machine.recordingId))).toBeUndefined();
  expect(readdirSync(join(folder, accountId))).toEqual([]);
  const events = await management.store.read((tx) => listEvents(tx, accountId, { limit: 100, afterSeq: 0 }));
  const pruned = events.find(({ activity }) => activity === "recording.prune");
  expect(pruned?.meta).toEqual({ count: "2", days: "90" });
});

test("recordings of a deleted account go, and those of others stay", async () => {
  const { accountId } = await anAccount(management.store, "else@example.com");
  const other = await aRecordingMachine(management, { accountId });
  for (const one of [machine, other]) await take(one.upload(0, 1, END));
  await management.store.transaction((tx) => deleteAccount(tx, machine.peer.accountId));
  await recordings.sweep();
  const found = ({ recordingId }: RecordingMachine) =>
    management.store.read((tx) => findRecording(tx, recordingId));
  expect([await found(machine), (await found(other))?.id]).toEqual([undefined, other.recordingId]);
  expect(readdirSync(join(folder, machine.peer.accountId))).toEqual([]);
  expect(readdirSync(join(folder, other.peer.accountId))).toEqual([other.recordingId]);
});

test("one that cannot be deleted keeps no other, and goes once it can be", async () => {
  const store = createFolderStore(folder);
  let kept = machine.recordingId;
  const stuck = { ...store, remove: refuseIn(store.remove, () => kept) };
  recordings = createRecordings(management, { store: stuck });
  const other = await aRecordingMachine(management, { accountId: machine.peer.accountId });
  for (const one of [machine, other]) await take(one.upload(0, 1, END));
  management.clock.jumpWallMs(91 * 86_400_000);
  await recordings.sweep();
  const isThere = async (id: string) =>
    (await management.store.read((tx) => findRecording(tx, id))) !== undefined;
  expect([await isThere(machine.recordingId), await isThere(other.recordingId)]).toEqual([true, false]);
  kept = "";
  await recordings.sweep();
  expect(await isThere(machine.recordingId)).toBe(false);
});

/** Fails for objects of the recording that `kept` names. */
function refuseIn(remove: (object: string) => Promise<void>, kept: () => string) {
  return (object: string): Promise<void> =>
    kept() !== "" && object.includes(kept()) ? Promise.reject(new Error("EPERM")) : remove(object);
}
