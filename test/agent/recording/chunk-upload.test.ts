import { expect, test } from "bun:test";
import { ChunkUpload } from "../../../src/agent/recording/chunk-upload.ts";
import { RecordingSpool } from "../../../src/agent/recording/recording-spool.ts";
import { newId } from "../../../src/base/random.ts";
import { packChunk } from "../../../src/recording/chunk.ts";
import { aRecordingHead, TakingManagement } from "../../support/recording.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { until } from "../../support/until.ts";

function anUpload() {
  const management = new TakingManagement();
  const recording = new RecordingSpool(tempFolder()).create(newId(), aRecordingHead());
  const refused: string[] = [];
  const upload = new ChunkUpload({
    recording,
    send: management.send,
    onRefused: (why) => refused.push(why),
  });
  const add = (count: number) => {
    for (let i = 0; i < count; i++) recording.append(packChunk(Buffer.from(`line ${recording.next}\n`)));
    upload.wake();
  };
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}\n`).join("");
  return { management, recording, upload, add, lines, refused };
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

test.each(["full", "refused", "gap", "over"] as const)("it ends where management says %s", async (says) => {
  const { management, upload, add, refused } = anUpload();
  management.says = says;
  add(2);
  await upload.done;
  expect(upload.isRefused).toBe(true);
  expect(refused).toEqual(["refused"]);
});
