import { expect, test } from "bun:test";
import { LogWitnessFile, PublicLogFile } from "../../src/wire/log-witness.ts";

const log = { origin: "qf.example.com/qufabric/d34hgk3f9s8d7f6g5h4j", key: "A".repeat(43) };

test.each([
  ["nothing seen", { format: 1, log, notes: [], alarms: [] }, true],
  ["a note", { format: 1, log, notes: [{ atMs: 1, note: "x" }], alarms: [] }, true],
  ["another format", { format: 2, log, notes: [], alarms: [] }, false],
  ["no log", { format: 1, notes: [], alarms: [] }, false],
  [
    "an alarm of no kind",
    { format: 1, log, notes: [], alarms: [{ kind: "x", atMs: 1, ours: "", theirs: "" }] },
    false,
  ],
])("a file with %s is read strictly", (_, file, isTaken) => {
  expect(LogWitnessFile.safeParse(file).success).toBe(isTaken);
});

test("what everyone may see has no alarms", () => {
  expect(PublicLogFile.safeParse({ format: 1, log, note: null }).success).toBe(true);
  expect(PublicLogFile.safeParse({ format: 1, log, note: null, alarms: [] }).success).toBe(false);
});
