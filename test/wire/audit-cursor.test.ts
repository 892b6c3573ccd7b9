import { expect, test } from "bun:test";
import { AuditCursorFile } from "../../src/wire/audit-cursor.ts";

test.each([
  ["nothing written", { format: 1, written: {} }, true],
  ["an account", { format: 1, written: { d34hgk3f9s8d7f6g5h4j: 5 } }, true],
  ["what is no account", { format: 1, written: { x: 5 } }, false],
  ["a negative number", { format: 1, written: { d34hgk3f9s8d7f6g5h4j: -1 } }, false],
])("a cursor with %s is read strictly", (_, file, isTaken) => {
  expect(AuditCursorFile.safeParse(file).success).toBe(isTaken);
});
