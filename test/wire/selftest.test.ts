import { expect, test } from "bun:test";
import { AttackReport } from "../../src/wire/selftest.ts";

test("a report has an outcome for each attack, of three", () => {
  const result = { id: "a", target: "t", tried: "x", outcome: "held", detail: null };
  expect(AttackReport.safeParse({ held: true, results: [result] }).success).toBe(true);
  const other = { ...result, outcome: "maybe" };
  expect(AttackReport.safeParse({ held: true, results: [other] }).success).toBe(false);
});
