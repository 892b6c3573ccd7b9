import { expect, test } from "bun:test";
import { denialOfOvertime } from "../../../src/agent/ssh-server/overtime.ts";

const times = { sinceMs: 1_000, lastActivityMs: 8_000, nowMs: 10_000 };
const unlimited = { idleMs: null, connectionMs: null };

test.each([
  { name: "no limit", limits: {}, rule: {}, want: null },
  {
    name: "the machine's longest connection",
    limits: { connectionMs: 9_000 },
    rule: {},
    want: "session_time_over",
  },
  { name: "one that is not reached", limits: { connectionMs: 9_001 }, rule: {}, want: null },
  {
    name: "the rule's, where the machine has a longer one",
    limits: { connectionMs: 60_000 },
    rule: { max_session_seconds: 9 },
    want: "session_time_over",
  },
  { name: "the machine's longest silence", limits: { idleMs: 2_000 }, rule: {}, want: "session_idle" },
  { name: "the rule's longest silence", limits: {}, rule: { idle_timeout_seconds: 2 }, want: "session_idle" },
  {
    name: "a silence that is not reached",
    limits: { idleMs: 2_001 },
    rule: { idle_timeout_seconds: 3 },
    want: null,
  },
])("denialOfOvertime knows $name", ({ limits, rule, want }) => {
  expect<string | null>(denialOfOvertime(times, { ...unlimited, ...limits }, rule)).toBe(want);
});
