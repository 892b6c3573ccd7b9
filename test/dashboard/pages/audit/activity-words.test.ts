import { expect, test } from "bun:test";
import { activityText } from "../../../../src/dashboard/pages/audit/activity-words.ts";
import { ACTIVITY_CODES } from "../../../../src/wire/audit-event.ts";

test("each activity has words of its own, none of which is its code", () => {
  const words = ACTIVITY_CODES.map(activityText);
  expect(new Set(words).size).toBe(ACTIVITY_CODES.length);
  expect(words.filter((text) => /[._]/.test(text) || !/^[A-Z]/.test(text))).toEqual([]);
});

test("an activity that this page does not know is told by its code", () => {
  expect(activityText("ssh.agent_forward.open").toLowerCase().split(" ")).toEqual([
    ...["ssh", "agent", "forward", "open"],
  ]);
});
