import { expect, test } from "bun:test";
import { closeSync, fstatSync, openSync, readdirSync, rmSync } from "node:fs";
import { RecordingSpool } from "../../../src/agent/recording/recording-spool.ts";
import { newId } from "../../../src/base/random.ts";
import { aRecordingHead } from "../../support/recording.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const chunk = (n: number, size: number) => Buffer.alloc(size, n);

test("segments that management has are deleted while the recording goes on", () => {
  const folder = tempFolder();
  const recording = new RecordingSpool(folder).create(newId(), aRecordingHead());
  const segments = () =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\/\d{8}$/.test(name));
  for (let n = 0; n < 140; n++) recording.append(chunk(n, 65_000));
  expect(segments()).toHaveLength(3);
  recording.acknowledge(139);
  expect(segments()).toHaveLength(1);
  expect(recording.read({ countMax: 1, bytesMax: 1e9 })[0]?.[0]).toBe(139);
  recording.remove();
});

test("a recording whose next segment cannot be made closes no other file", () => {
  const folder = tempFolder();
  const recording = new RecordingSpool(folder).create(newId(), aRecordingHead());
  for (let n = 0; n < 65; n++) recording.append(chunk(n, 65_000));
  rmSync(folder, { recursive: true });
  expect(() => recording.append(chunk(65, 65_000))).toThrow();
  // Takes the number of the segment that was closed.
  const other = openSync("/dev/null", "r");
  recording.close();
  expect(fstatSync(other).isCharacterDevice()).toBe(true);
  closeSync(other);
});
