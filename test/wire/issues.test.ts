import { expect, test } from "bun:test";
import { z } from "zod";
import { describeIssues } from "../../src/wire/issues.ts";
import { PolicyWrite } from "../../src/wire/policy.ts";

const describe = (schema: z.ZodType, value: unknown): string => {
  const parsed = schema.safeParse(value);
  return parsed.success ? "taken" : describeIssues(parsed.error);
};
const rule = { name: "r", enabled: true, action: "accept", bidirectional: false, protocol: "tcp" };
const policy = (change: object) => ({ name: "p", enabled: true, rules: [{ ...rule, ...change }] });

test.each([
  { name: "a missing field", value: { enabled: true, rules: [rule] }, says: "name is missing" },
  { name: "a wrong type", value: { ...policy({}), enabled: "yes" }, says: "enabled is not a boolean" },
  { name: "no object at all", value: [], says: "the body is not an object" },
  { name: "an unknown field", value: policy({ colour: 1 }), says: 'unknown field "colour" in rules[0]' },
  {
    name: "a word that is none of the list",
    value: policy({ action: "permit" }),
    says: "rules[0].action must be one of accept, drop",
  },
  { name: "our own sentence", value: policy({ ports: ["x"] }), says: "rules[0].ports[0] is not a port" },
  { name: "too few", value: { ...policy({}), rules: [] }, says: "rules must be at least 1 entries" },
  {
    name: "too long",
    value: { ...policy({}), name: "x".repeat(257) },
    says: "name is longer than 256 characters",
  },
])("describeIssues tells $name by its field", ({ value, says }) => {
  expect(describe(PolicyWrite, value)).toBe(says);
});

test("describeIssues puts what should not be there first, and is short", () => {
  expect(describe(PolicyWrite, { nam: "p" })).toBe(
    'unknown field "nam"; name is missing; enabled is missing; and 1 more',
  );
});

test("describeIssues never shows a value, nor a control character of a field's name", () => {
  const secret = "qfp_secret";
  const schema = z.strictObject({ token: z.string().max(3), when: z.enum(["now"]) });
  const told = describe(schema, { token: secret, when: secret, "a\u001b[31m\n": secret });
  expect(told).not.toContain(secret);
  expect(told).toContain('unknown field "a?[31m?"');
});
