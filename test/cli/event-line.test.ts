import { expect, test } from "bun:test";
import { lineOf } from "../../src/cli/event-line.ts";
import { ReadAuditEvent } from "../../src/wire/audit-event.ts";

const event = ReadAuditEvent.parse({
  id: "7",
  timestamp: "2027-01-02T03:04:05.678Z",
  activity: "Ssh forward close",
  activity_code: "ssh.forward.close",
  initiator_id: "u".repeat(20),
  initiator_name: "Ada",
  initiator_email: "ada@example.com",
  target_id: "m".repeat(20),
  meta: { machine: "web", kind: "local", destination: "db:5432", bytes_in: "12", bytes_out: "3456" },
});

test("a line says when, what, who, and the facts", () => {
  expect(lineOf(event)).toBe(
    "2027-01-02 03:04:05 UTC  ssh.forward.close       ada@example.com  machine=web  kind=local  " +
      "destination=db:5432  bytes_in=12  bytes_out=3456",
  );
});

test("an activity of a newer management is shown by its code", () => {
  const newer = ReadAuditEvent.parse({ ...event, activity_code: "ssh.recording.start" });
  expect(lineOf(newer)).toContain("  ssh.recording.start");
});

test.each([
  ["spaces", "a b", '"a b"'],
  ["nothing", "", '""'],
  ["what would look like another fact", "a=b", '"a=b"'],
])("a fact with %s is quoted", (_name, value, shown) => {
  expect(lineOf({ ...event, meta: { fact: value } })).toEndWith(`  fact=${shown}`);
});

test("an event of nobody has a dash", () => {
  const nobody = { ...event, initiator_id: "", initiator_name: "", initiator_email: "" };
  expect(lineOf(nobody)).toContain("  -  machine=web");
});
