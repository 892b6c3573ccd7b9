import { expect, test } from "bun:test";
import { z } from "zod";
import { listOrNone, unlessEmpty, unlessNull } from "../../src/wire/given.ts";
import { describeIssues } from "../../src/wire/issues.ts";

const schema = z.object({
  list: listOrNone(z.array(z.string()).max(2)),
  flag: unlessNull(z.boolean()),
  text: unlessEmpty(z.string().regex(/^x/, "is no x")),
});

test.each([
  { written: {}, read: { list: [] } },
  { written: { list: null, flag: null, text: null }, read: { list: [] } },
  { written: { list: [], text: "" }, read: { list: [] } },
  { written: { list: ["a"], flag: false, text: "xy" }, read: { list: ["a"], flag: false, text: "xy" } },
])("$written reads as $read", ({ written, read }) => {
  expect(JSON.parse(JSON.stringify(schema.parse(written)))).toEqual(read);
});

test.each<[unknown, string]>([
  [{ list: "a" }, "list is not an array"],
  [{ list: ["a", "b", "c"] }, "list must be at most 2 entries"],
  [{ flag: "yes" }, "flag is not a boolean"],
  [{ flag: 0 }, "flag is not a boolean"],
  [{ text: "y" }, "text is no x"],
])("%j is still refused: %s", (written, says) => {
  const parsed = schema.safeParse(written);
  expect(parsed.success ? "taken" : describeIssues(parsed.error)).toBe(says);
});
