import { expect, test } from "bun:test";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  clearKeptReason,
  KEPT_REASON_SECONDS_MAX,
  keepReason,
  readKeptReason,
} from "../../src/client/kept-reason.ts";
import { tempFolder } from "../support/temp-folder.ts";

const NOW = 1_800_000_000;
const reason = "OPS-142: disk is full";

test("a reason is there until its time, and for its owner only", async () => {
  const folder = tempFolder();
  expect(await readKeptReason(folder, NOW)).toBeUndefined();
  await keepReason(folder, { reason, untilSeconds: NOW + 60 });
  expect(await readKeptReason(folder, NOW)).toEqual({ reason, untilSeconds: NOW + 60 });
  expect(await readKeptReason(folder, NOW + 59)).toEqual({ reason, untilSeconds: NOW + 60 });
  expect(await readKeptReason(folder, NOW + 60)).toBeUndefined();
  expect(statSync(join(folder, "reason.json")).mode & 0o777).toBe(0o600);
});

test("a reason that was cleared is gone, and clearing twice is no mistake", async () => {
  const folder = tempFolder();
  await keepReason(folder, { reason, untilSeconds: NOW + 60 });
  await clearKeptReason(folder);
  await clearKeptReason(folder);
  expect(await readKeptReason(folder, NOW)).toBeUndefined();
});

test("a clock that was ahead keeps a reason for no longer than anybody may ask", async () => {
  const folder = tempFolder();
  await keepReason(folder, { reason, untilSeconds: NOW + KEPT_REASON_SECONDS_MAX + 1 });
  expect(await readKeptReason(folder, NOW)).toBeUndefined();
});

test.each([
  ["no JSON", "{"],
  ["a control character in it", JSON.stringify({ format: 1, reason: "a\u0007bc", untilSeconds: NOW + 60 })],
  ["an empty reason", JSON.stringify({ format: 1, reason: "", untilSeconds: NOW + 60 })],
])("a file with %s is damaged and answers nothing", async (_name, text) => {
  const folder = tempFolder();
  writeFileSync(join(folder, "reason.json"), text);
  expect(readKeptReason(folder, NOW)).rejects.toMatchObject({ code: "ERR_STATE_DAMAGED" });
});
