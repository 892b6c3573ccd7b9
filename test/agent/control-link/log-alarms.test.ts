import { expect, test } from "bun:test";
import { noticeOf, sentenceOfAlarm } from "../../../src/agent/control-link/log-alarms.ts";

test("each alarm has a sentence of its own, and people are told of the first", () => {
  const kinds = ["forked", "cut_back", "other_key", "own_key"] as const;
  expect(new Set(kinds.map(sentenceOfAlarm)).size).toBe(kinds.length);
  const alarms = kinds.map((kind) => ({ kind, atMs: 0, ours: "", theirs: "" }));
  expect(noticeOf(alarms)).toBe(noticeOf(alarms.slice(0, 1)));
  expect(noticeOf([])).toBeNull();
});
