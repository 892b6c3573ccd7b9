import { expect, test } from "bun:test";
import { csvOf } from "../../../../src/dashboard/components/csv.ts";
import { SESSION_CSV } from "../../../../src/dashboard/pages/sessions/session-csv.ts";
import type { Session } from "../../../../src/dashboard/pages/sessions/session-words.ts";

const session: Session = {
  ...{ id: "d34hgk3f9s8d7f6g5h4j", state: "ended", user_id: null, user: "ada", machine: "web1" },
  ...{ machine_id: "e34hgk3f9s8d7f6g5h4j", device_id: null, device: null, local_user: "deploy" },
  ...{ path: "relay", source_address: "192.0.2.7", started_at: "2026-11-30T08:00:00.000Z" },
  ...{ ended_at: null, end_reason: null, rule_id: null, reason: null, offline: false, running: [] },
  ...{ forwards: [], bytes_in: 0, bytes_out: null, may_end: false },
};

test("each session is a row of as many cells as there are headings", () => {
  const lines = csvOf(SESSION_CSV, [session, session]).split("\r\n");
  expect(lines).toHaveLength(4);
  expect(new Set(lines.slice(0, 3).map((line) => line.split(",").length)).size).toBe(1);
  expect(lines[1]).toContain("2026-11-30T08:00:00.000Z");
});

test("a name becomes text", () => {
  expect(csvOf(SESSION_CSV, [{ ...session, user: '=HYPERLINK("x")' }])).toContain(`,"'=HYPERLINK(""x"")",`);
});
