import { expect, test } from "bun:test";
import { PolicyApplyRequest, PolicyDiffRequest, WhoQuery } from "../../src/wire/policy-code-api.ts";

test.each([
  ["91 days", PolicyDiffRequest, { text: "", days: 91 }],
  ["an unknown field", PolicyDiffRequest, { text: "", forced: true }],
  ["no version", PolicyApplyRequest, { text: "", digest: "A".repeat(43) }],
  ["no digest", PolicyApplyRequest, { text: "", version: 1 }],
  ["a page of 1,001", WhoQuery, { machine: "a", limit: "1001" }],
  ["nobody's machine", WhoQuery, {}],
])("%s is refused", (_, schema, value) => {
  expect(schema.safeParse(value).success).toBe(false);
});
