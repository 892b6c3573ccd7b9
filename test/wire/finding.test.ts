import { expect, test } from "bun:test";
import { DoctorReport, FINDING_AREAS, Finding, fine, note, problem } from "../../src/wire/finding.ts";

test.each([
  ["fine", fine("client", "folder", "all is well"), { status: "ok", fix: null }],
  ["note", note("ssh", "old", "ssh is old"), { status: "note", fix: null }],
  ["note with a fix", note("ssh", "old", "ssh is old", "update it"), { status: "note", fix: "update it" }],
  ["problem", problem("agent", "down", "no agent", "start it"), { status: "problem", fix: "start it" }],
] as const)("%s makes a finding that reads as one", (_, finding, wanted) => {
  expect(finding).toMatchObject(wanted);
  expect(Finding.parse(finding)).toEqual(finding);
});

test.each(FINDING_AREAS.map((area) => [area]))("a finding may be about %s", (area) => {
  expect(Finding.safeParse(fine(area, "x", "y")).success).toBe(true);
});

test("a finding is about nothing else, and of no other status", () => {
  expect(Finding.safeParse({ ...fine("client", "x", "y"), area: "weather" }).success).toBe(false);
  expect(Finding.safeParse({ ...fine("client", "x", "y"), status: "fatal" }).success).toBe(false);
});

test("a report reads back", () => {
  const report = { healthy: false, findings: [problem("agent", "down", "no agent", "start it")] };
  expect(DoctorReport.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
});
