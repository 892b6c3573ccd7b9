import { expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { RecordingSpool } from "../../../src/agent/recording/recording-spool.ts";
import { newId } from "../../../src/base/random.ts";
import { aRecordingHead } from "../../support/recording.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const chunk = (n: number, size = 10) => Buffer.alloc(size, n);

test("chunks come back in order from where management is, also after a restart", () => {
  const folder = tempFolder();
  const id = newId();
  const spool = new RecordingSpool(folder);
  const recording = spool.create(id, aRecordingHead());
  for (let n = 0; n < 5; n++) recording.append(chunk(n));
  recording.acknowledge(2);
  expect(recording.read({ countMax: 2, bytesMax: 1e9 }).map((data) => data[0])).toEqual([2, 3]);
  expect([recording.first, recording.next]).toEqual([2, 5]);
  // Its agent still runs, so it is nobody else's.
  const successor = new RecordingSpool(folder);
  expect(successor.leftOvers()).toEqual([]);
  recording.close();
  spool.close();

  const [left, ...others] = successor.leftOvers();
  expect(others).toEqual([]);
  // Which of them management has, the spool does not remember: management says so.
  expect([left?.id, left?.first, left?.next, left?.end]).toEqual([id, 0, 5, null]);
  left?.acknowledge(3);
  expect(left?.read({ countMax: 9, bytesMax: 1e9 })).toEqual([chunk(3), chunk(4)]);
  left?.finish({ status: "complete", why: null });
  left?.remove();
  successor.close();
  const last = new RecordingSpool(folder);
  expect(last.leftOvers()).toEqual([]);
  last.close();
  expect(readdirSync(folder)).toEqual([]);
});

test("a frame that a crash has cut, and a folder that is no recording, are left out", () => {
  const folder = tempFolder();
  const spool = new RecordingSpool(folder);
  const recording = spool.create(newId(), aRecordingHead());
  recording.append(chunk(1));
  recording.close();
  spool.close();
  const [run = ""] = readdirSync(folder);
  appendFileSync(join(folder, run, recording.id, "00000000"), Buffer.from([0, 0, 0, 9, 1, 2]));
  mkdirSync(join(folder, run, newId()));
  const left = new RecordingSpool(folder).leftOvers();
  expect(left.map(({ next }) => next)).toEqual([1]);
  expect(readdirSync(join(folder, run)).sort()).toEqual(["lock", recording.id].sort());
});

test("nobody has more than their share, and all together not more than there is", () => {
  const spool = new RecordingSpool(tempFolder(), { personBytesMax: 100, allBytesMax: 150 });
  const full = expect.objectContaining({ code: "ERR_TOO_MANY" });
  const [ada, bob] = [newId(), newId()].map((userId) => spool.create(newId(), aRecordingHead({ userId })));
  ada?.append(chunk(0, 60));
  expect(() => ada?.append(chunk(1, 60))).toThrow(full);
  bob?.append(chunk(0, 60));
  expect(() => bob?.append(chunk(1, 30))).toThrow(full);
  ada?.acknowledge(1);
  bob?.append(chunk(1, 30));
  ada?.remove();
  bob?.remove();
});
