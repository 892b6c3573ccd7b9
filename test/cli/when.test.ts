import { expect, test } from "bun:test";
import { parseWhen } from "../../src/cli/when.ts";

test.each([
  ["2026-11-30", "2026-11-30T00:00:00.000Z"],
  ["2026-11-30T08:00:00Z", "2026-11-30T08:00:00.000Z"],
  ["2026-11-30T08:00+02:00", "2026-11-30T06:00:00.000Z"],
])("%s is a time", (text, iso) => {
  expect(parseWhen("since", text)).toBe(iso);
});

test("a length is so long ago, and nothing is nothing", () => {
  const [hour, day] = [parseWhen("since", "1h"), parseWhen("since", "1d")];
  const apartMs = Date.parse(hour ?? "") - Date.parse(day ?? "");
  expect(Math.round(apartMs / 3_600_000)).toBe(23);
  expect(parseWhen("since", undefined)).toBeUndefined();
});

test.each([
  "",
  "soon",
  "1",
  "1y",
  "h",
  "2026-13-01",
  "2026-02-31",
  "2026-02-30T08:00:00Z",
  "2026-11-30 08:00",
  "-1h",
  "999999d",
])("%p is no time", (text) => {
  expect(() => parseWhen("since", text)).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
});
