import { expect, test } from "bun:test";
import { JournalLine } from "../../src/wire/audit-journal.ts";

const batch = {
  first_seq: 1,
  last_seq: 2,
  hash: "A".repeat(43),
  previous: "A".repeat(43),
  signature: "A".repeat(86),
};

test.each([
  ["a batch", { batch }, true],
  ["what is proven", { proven: 0 }, true],
  ["both", { batch, proven: 1 }, false],
  ["a batch without a signature", { batch: { ...batch, signature: undefined } }, false],
  ["a negative number", { proven: -1 }, false],
])("a line of %s is read strictly", (_, line, isTaken) => {
  expect(JournalLine.safeParse(line).success).toBe(isTaken);
});
