import { expect, test } from "bun:test";
import { auditQueryOf, auditTermsOf } from "../../../../src/dashboard/pages/audit/audit-terms.ts";

test("terms of the address are taken, and nothing else", () => {
  const search = { user: "ada@example.com", activity: "ssh.*", machine: "", limit: "5", receipt: 7, x: [] };
  expect(auditTermsOf(search)).toEqual({ user: "ada@example.com", activity: "ssh.*", receipt: "7" });
});

test("a term that is too long is none", () => {
  expect(auditTermsOf({ user: "a".repeat(300) })).toEqual({});
});

test("a day that is none is left out; one that is there begins and ends where the reader is", () => {
  expect(auditTermsOf({ since: "2026-02-30", until: "2026-11-30" })).toEqual({ until: "2026-11-30" });
  const { since = "", until = "" } = auditQueryOf({ since: "2026-11-24", until: "2026-11-24" });
  expect(new Date(since)).toEqual(new Date(2026, 10, 24));
  expect(new Date(until)).toEqual(new Date(2026, 10, 25));
  expect(auditQueryOf({ user: "ada" })).toEqual({ user: "ada" });
});
