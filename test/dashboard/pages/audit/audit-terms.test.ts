import { expect, test } from "bun:test";
import { auditTermsOf } from "../../../../src/dashboard/pages/audit/audit-terms.ts";

test("terms of the address are taken, and nothing else", () => {
  const search = { user: "ada@example.com", activity: "ssh.*", machine: "", limit: "5", receipt: 7, x: [] };
  expect(auditTermsOf(search)).toEqual({ user: "ada@example.com", activity: "ssh.*", receipt: "7" });
});

test("a term that is too long is none", () => {
  expect(auditTermsOf({ user: "a".repeat(300) })).toEqual({});
});
