/** Times as they are written for people. */
import { expect, test } from "bun:test";
import { agoText } from "../../src/cli/words.ts";

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0);

test.each([
  ["2026-11-20T12:00:00.000Z", "0 s ago"],
  ["2026-11-20T12:00:09Z", "0 s ago"],
  ["2026-11-20T11:59:01Z", "59 s ago"],
  ["2026-11-20T11:58:30Z", "1 min ago"],
  ["2026-11-20T02:00:00Z", "10 h ago"],
  ["2026-11-10T12:00:00Z", "10 d ago"],
  ["0001-01-01T00:00:00Z", "never"],
  ["", "never"],
])("%s is %s", (time, text) => {
  expect(agoText(time, NOW)).toBe(text);
});
