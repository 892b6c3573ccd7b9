import { expect, test } from "bun:test";
import { ServerClock } from "../../../src/dashboard/terminal/server-clock.ts";

const SERVER = "Mon, 30 Nov 2026 12:00:00 GMT";
const SERVER_SECONDS = Date.parse(SERVER) / 1_000;

test.each([
  ["ten minutes ahead", 600, 0],
  ["ten minutes behind", -600, 0],
  ["a day ahead", 86_400, 0],
  ["as good as right", 3, 3],
  ["as good as right, behind", -4, -4],
])("a clock that is %s signs with the time of the server", (_what, offSeconds, signedOff) => {
  const clock = new ServerClock();
  const nowMs = (SERVER_SECONDS + offSeconds) * 1_000;
  clock.heard(SERVER, nowMs);
  expect(clock.seconds(nowMs + 7_000) - SERVER_SECONDS - 7).toBe(signedOff);
});

test.each([[null], [""], ["yesterday"]])("an answer that does not say a time changes nothing: %p", (date) => {
  const clock = new ServerClock();
  clock.heard(date, 1_000_000);
  expect(clock.seconds(1_000_000)).toBe(1_000);
});
