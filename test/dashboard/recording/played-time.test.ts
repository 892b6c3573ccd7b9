/** Time of a recording and of its player, with idle time cut and without. */
import { expect, test } from "bun:test";
import type { CastEvent } from "../../../src/dashboard/recording/cast.ts";
import { clockText, momentOf, PlayedTime } from "../../../src/dashboard/recording/played-time.ts";

const at = (...seconds: number[]): CastEvent[] => seconds.map((one) => [one, "o", ""]);

test.each([
  [0, 0],
  [1, 1],
  [2, 2],
  [61, 3],
  [62, 4],
  [100, 4],
])("second %d is played at %d where waits are cut to two seconds", (recorded, played) => {
  expect(new PlayedTime(at(1, 61, 62), 2).played(recorded)).toBeCloseTo(played, 5);
});

test("both ways come to the same moment", () => {
  const time = new PlayedTime(at(0.5, 90, 91, 400), 2);
  for (const moment of [0.5, 90, 90.5, 91, 400])
    expect(time.recorded(time.played(moment))).toBeCloseTo(moment, 5);
});

test("nothing is cut without a limit", () => {
  const time = new PlayedTime(at(5, 500), Number.POSITIVE_INFINITY);
  expect([time.played(250), time.recorded(250), time.end]).toEqual([250, 250, 500]);
});

test("times that go back, and no times at all, are no trouble", () => {
  expect(new PlayedTime(at(5, 3, 6), 2).end).toBe(6);
  const none = new PlayedTime([], 2);
  expect([none.end, none.played(3), none.recorded(3)]).toEqual([0, 0, 0]);
});

test.each([
  [0, "0:00"],
  [59.9, "0:59"],
  [61, "1:01"],
  [3_723, "1:02:03"],
  [-1, "0:00"],
])("%d seconds are %s", (seconds, text) => expect(clockText(seconds)).toBe(text));

test.each([
  [0, 0],
  [1.21, 1.3],
  [1.3, 1.3],
])("the moment of %d is %d", (seconds, moment) => expect(momentOf(seconds)).toBe(moment));
