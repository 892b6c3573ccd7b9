import { expect, test } from "bun:test";
import {
  bytesText,
  doesText,
  endText,
  lastedText,
} from "../../../../src/dashboard/pages/sessions/session-words.ts";

test.each([
  [null, null],
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [2_340_000_000, "2.3 GB"],
])("%p bytes are %p", (bytes, text) => expect(bytesText(bytes)).toBe(text));

test.each([
  [null, null],
  ["2026-11-30T08:00:59Z", "59 s"],
  ["2026-11-30T09:00:00Z", "1 h 0 min"],
  ["2026-11-30T07:00:00Z", "0 s"],
])("what ended at %p lasted %p", (ended_at, text) => {
  expect(lastedText({ started_at: "2026-11-30T08:00:00Z", ended_at })).toBe(text);
});

test.each([
  ["live", null, "live"],
  ["unknown", null, "not known"],
  ["ended", null, "ended"],
  ["ended", "session_killed", "ended by hand"],
  ["ended", "network_not_allowed", "network not allowed"],
] as const)("%s with reason %p is %p", (state, end_reason, text) => {
  expect(endText({ state, end_reason })).toBe(text);
});

test("what runs is said in words, a command as its machine reports it", () => {
  expect(doesText({ running: ["<interactive shell>", "ls [2 args]"], forwards: ["db:5432"] })).toBe(
    "shell, ls [2 args], forwards db:5432",
  );
});
