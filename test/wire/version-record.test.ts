import { expect, test } from "bun:test";
import { VersionRecord } from "../../src/wire/version-record.ts";

test.each([
  [{ format: 1, highest: "1.2.3" }, true],
  [{ format: 2, highest: "1.2.3" }, false],
  [{ format: 1, highest: "latest" }, false],
  [{ format: 1 }, false],
])("%p is a record: %p", (value, want) => {
  expect(VersionRecord.safeParse(value).success).toBe(want);
});
