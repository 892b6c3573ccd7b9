import { expect, test } from "bun:test";
import { HandoverAnswer, HandoverRequest } from "../../src/wire/handover.ts";

test.each([
  [HandoverRequest, { do: "take_over", version: "1.2.3", of: "a later build" }],
  [HandoverRequest, { do: "descriptor", index: 0 }],
  [HandoverAnswer, { is: "age", ageSeconds: 1.5 }],
  [HandoverAnswer, { is: "end" }],
])("a line is read, also with more than this build knows: %#", (shape, line) => {
  expect(shape.safeParse(line).success).toBe(true);
});

test.each([
  [HandoverRequest, { do: "record", id: 1, body: { type: "nothing known" } }],
  [HandoverRequest, { do: "descriptor", index: -1 }],
  [HandoverAnswer, { is: "map", map: {}, ageSeconds: 0 }],
  [HandoverAnswer, { is: "a restriction of a later build" }],
])("a line that could mean anything is not: %#", (shape, line) => {
  expect(shape.safeParse(line).success).toBe(false);
});
