import { expect, test } from "bun:test";
import { PolicyFile, policyFileSchema } from "../../src/wire/policy-file.ts";
import { parsePolicyText } from "../../src/wire/policy-text.ts";
import { WHOLE_FILE } from "../support/policy-account.ts";

test("the schema for editors names every section, and forbids what is unknown", () => {
  const schema = policyFileSchema();
  expect(schema).toMatchObject({ type: "object", additionalProperties: false });
  expect(Object.keys((schema as { properties: object }).properties)).toEqual(["policies", "groups", "tests"]);
});

test("a file that was read is a file", () => {
  expect(PolicyFile.safeParse(parsePolicyText(WHOLE_FILE)).success).toBe(true);
});

test.each([
  [
    "1,001 tests",
    { tests: Array(1_001).fill({ user: "a", machine: "b", local_user: "c", expect: "allow" }) },
  ],
  [
    "a wildcard to forward to",
    { tests: [{ user: "a", machine: "b", local_user: "c", action: { forward: "*:1" }, expect: "deny" }] },
  ],
  ["an OS user that is none", { tests: [{ user: "a", machine: "b", local_user: "c;d", expect: "deny" }] }],
  ["no rule", { policies: [{ name: "a", rules: [] }] }],
])("%s is refused", (_, file) => {
  expect(PolicyFile.safeParse(file).success).toBe(false);
});
