import { expect, test } from "bun:test";
import { ChunkUpload } from "../../../src/agent/recording/chunk-upload.ts";
import { RecordingSpool } from "../../../src/agent/recording/recording-spool.ts";
import { newId } from "../../../src/base/random.ts";
import { packChunk } from "../../../src/recording/chunk.ts";
import { RECORDING_UPLOAD_CHUNK_BYTES_MAX, type RecordingHead } from "../../../src/wire/recording.ts";
import { aRecordingHead, TakingManagement } from "../../support/recording.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

function anUpload({
  mode = "best_effort",
  ...options
}: {
  mode?: RecordingHead["mode"];
  gatherMs?: number;
  fullMs?: number;
} = {}) {
  const management = new TakingManagement();
  const recording = new RecordingSpool(tempFolder()).create(newId(), aRecordingHead({ mode }));
  const refused: string[] = [];
  const full: string[] = [];
  const upload = new ChunkUpload({
    recording,
    send: management.send,
    ...options,
    onFull: (message) => full.push(message),
    onRefused: (why) => refused.push(why),
  });
  const add = (count: number) => {
    for (let i = 0; i < count; i++) recording.append(packChunk(Buffer.from(`line ${recording.next}\n`)));
    upload.wake();
  };
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}\n`).join("");
  return { management, recording, upload, add, lines, refused, full };
}

test("chunks go up in order, several at a time, and the end with the last", async () => {
  const { management, recording, upload, add, lines } = anUpload();
  add(40);
  await until("they are stored", () => management.chunks.length === 40);
  expect(management.uploads).toBeLessThan(10);
  add(1);
  recording.finish({ status: "complete", why: null });
  upload.wake();
  await upload.done;
  expect(upload.isStored).toBe(true);
  expect(management.text).toBe(lines(41));
  expect(management.end).toEqual({ status: "complete", why: null });
});

test.each([
  { mode: "best_effort" as const, sizes: [1, 64, 6] },
  { mode: "required" as const, sizes: [1, 13, 13, 13, 13, 13, 5] },
])("chunks that come one by one go up together ($mode)", async ({ mode, sizes }) => {
  const { management, recording, upload, add, lines } = anUpload({ mode, gatherMs: 60_000 });
  for (let i = 0; i < 71; i++) {
    add(1);
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  }
  recording.finish({ status: "complete", why: null });
  upload.wake();
  await upload.done;
  expect(management.sizes).toEqual([...sizes]);
  expect(management.text).toBe(lines(71));
});

test("a chunk that no other follows goes up all the same", async () => {
  const { management, recording, upload, add, lines } = anUpload({ gatherMs: 10 });
  for (let stored = 1; stored <= 3; stored++) {
    add(1);
    await until("it is stored", () => recording.first === stored);
  }
  expect(management.text).toBe(lines(3));
  upload.close();
  await upload.done;
});

test("what gathers chunks ends at close", async () => {
  const { recording, upload, add } = anUpload({ gatherMs: 60_000 });
  add(1);
  await until("it is stored", () => recording.first === 1);
  add(1);
  upload.close();
  await upload.done;
  expect(upload.isStored).toBe(false);
});

test("an upload under way that fails at close is not tried again", async () => {
  const recording = new RecordingSpool(tempFolder()).create(newId(), aRecordingHead());
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<never>();
  const upload = new ChunkUpload({
    recording,
    send: () => {
      asked.resolve();
      return answer.promise;
    },
  });
  recording.append(packChunk(Buffer.from("line\n")));
  upload.wake();
  await asked.promise;
  upload.close();
  answer.reject(new Error("stopped"));
  // Whatever waits for a timer comes later than this.
  const later = new Promise<string>((resolve) => setImmediate(resolve, "later"));
  expect(await Promise.race([upload.done.then(() => "done"), later])).toBe("done");
});

test("chunks that come while the session is not reported yet cost no attempts", async () => {
  const { management, recording, upload, add, lines, refused } = anUpload();
  management.says = "unreported";
  for (let i = 0; i < 520; i++) {
    add(1);
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  }
  management.says = null;
  recording.finish({ status: "complete", why: null });
  upload.wake();
  await upload.done;
  expect(refused).toEqual([]);
  expect(management.text).toBe(lines(520));
});

test("no upload is larger than management takes", async () => {
  const { management, recording, upload } = anUpload();
  // Nothing shrinks here, so about sixteen of them are all that one upload may hold.
  const packed = crypto.getRandomValues(new Uint8Array(60_000));
  for (let i = 0; i < 40; i++) recording.append(packed);
  recording.finish({ status: "complete", why: null });
  upload.wake();
  await upload.done;
  expect(management.chunks).toHaveLength(40);
  expect(Math.max(...management.sizes) * packed.length).toBeLessThan(RECORDING_UPLOAD_CHUNK_BYTES_MAX);
});

test("an older management that takes fewer chunks at once gets fewer", async () => {
  const { management, recording, upload, add, lines, refused } = anUpload();
  management.countMax = 16;
  add(60);
  recording.finish({ status: "complete", why: null });
  upload.wake();
  await upload.done;
  expect(refused).toEqual([]);
  expect(management.text).toBe(lines(60));
});

test("an end without chunks goes up alone", async () => {
  const { management, recording, upload, add } = anUpload();
  add(1);
  await until("it is stored", () => recording.first === 1);
  recording.finish({ status: "cut", why: "failed" });
  upload.wake();
  await upload.done;
  expect(management.end).toEqual({ status: "cut", why: "failed" });
});

test.each([
  { name: "nobody answers for a while", says: "away" as const },
  { name: "the answer is lost", says: "lost" as const },
  { name: "the store is away for a while", says: "unavailable" as const },
  { name: "the session is not reported yet", says: "unreported" as const },
])("it goes on where it was when $name", async ({ says }) => {
  const { management, recording, upload, add, lines } = anUpload();
  management.says = says;
  add(20);
  await until("it was tried", () => management.uploads > 1);
  management.says = null;
  recording.finish({ status: "complete", why: null });
  upload.wake();
  await upload.done;
  expect(upload.isStored).toBe(true);
  expect(management.text).toBe(lines(20));
});

test("what is over the machine's share stays in the spool, which is told once, and goes up later", async () => {
  const { management, recording, upload, add, lines, refused, full } = anUpload({ fullMs: 1 });
  management.says = "full";
  add(2);
  await until("it was tried again", () => management.uploads > 3);
  expect([refused, full, recording.next - recording.first]).toEqual([[], ["full"], 2]);
  management.says = null;
  recording.finish({ status: "complete", why: null });
  upload.wake();
  await upload.done;
  expect(management.text).toBe(lines(2));
});

test.each(["refused", "gap", "over"] as const)("it ends where management says %s", async (says) => {
  const { management, upload, add, refused } = anUpload();
  management.says = says;
  add(2);
  await upload.done;
  expect(upload.isRefused).toBe(true);
  expect(refused).toEqual(["refused"]);
});
