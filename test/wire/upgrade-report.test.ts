import { expect, test } from "bun:test";
import { UpgradeOrder, UpgradeRecord, UpgradeReport } from "../../src/wire/upgrade-report.ts";

const orderId = "order000000000000001";

test("an order names a version and itself, and what a newer management adds is passed over", () => {
  expect(UpgradeOrder.parse({ orderId, version: "1.2.3", more: 1 })).toEqual({ orderId, version: "1.2.3" });
  expect(UpgradeOrder.safeParse({ orderId, version: "latest" }).success).toBe(false);
});

test("a report is short, and of a state that is known", () => {
  const report = { orderId, state: "failed", detail: "" };
  expect(UpgradeReport.safeParse(report).success).toBe(true);
  expect(UpgradeReport.safeParse({ ...report, detail: "x".repeat(513) }).success).toBe(false);
  expect(UpgradeReport.safeParse({ ...report, state: "ready" }).success).toBe(false);
  expect(UpgradeRecord.safeParse({ ...report, format: 2 }).success).toBe(false);
});
