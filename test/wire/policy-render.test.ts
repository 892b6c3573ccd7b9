import { expect, test } from "bun:test";
import { renderPolicyText } from "../../src/wire/policy-render.ts";
import { parsePolicyText } from "../../src/wire/policy-text.ts";
import { WHOLE_FILE } from "../support/policy-account.ts";

test("what is written is read back as the same file, with times as dates", () => {
  const file = parsePolicyText(WHOLE_FILE);
  const text = renderPolicyText(file, null);
  expect(parsePolicyText(text)).toEqual(file);
  expect(text).toContain("valid_until: 2027-01-01T00:00:00Z");
  expect(text).toContain("sources: [managed-laptops]");
});

test("names that YAML would read as something else are quoted", () => {
  const file = {
    policies: [{ name: "123", rules: [{ sources: ["true", "null", "a: b"], destinations: ["# c"] }] }],
  };
  expect(parsePolicyText(renderPolicyText(file, null))).toEqual(file);
});

test("an earlier text that says the same is given back as it was", () => {
  const kept = { text: "groups: {} # mine\n", isSame: true, policies: [], tests: false };
  expect(renderPolicyText({ groups: {} }, kept)).toBe(kept.text);
});
