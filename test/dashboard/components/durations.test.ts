import { expect, test } from "bun:test";
import { durationText, lengthText, parseDuration } from "../../../src/dashboard/components/durations.ts";

test.each<[text: string, seconds: number | null]>([
  ["30m", 1_800],
  ["8h", 28_800],
  [" 2 D ", 172_800],
  ["90s", 90],
  ["0m", null],
  ["30", null],
  ["1h30m", null],
  ["-1h", null],
  ["", null],
])("%j is %p seconds", (text, seconds) => expect(parseDuration(text)).toBe(seconds));

test.each<[seconds: number, text: string]>([
  [1_800, "30m"],
  [28_800, "8h"],
  [86_400, "1d"],
  [90, "90s"],
  [3_660, "61m"],
])("%p seconds are written as %j", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
  expect(parseDuration(text)).toBe(seconds);
});

test.each<[seconds: number, words: string]>([
  [3_600, "1 hour"],
  [604_800, "7 days"],
  [60, "1 minute"],
  [90, "90 seconds"],
])("%p seconds are %s", (seconds, words) => expect(lengthText(seconds)).toBe(words));
