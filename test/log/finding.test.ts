import { expect, test } from "bun:test";
import { FINDING_CODES } from "../../src/log/finding.ts";

test("each kind of finding has a code of its own", () => {
  expect(new Set(FINDING_CODES).size).toBe(FINDING_CODES.length);
});
