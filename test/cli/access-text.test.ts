import { expect, test } from "bun:test";
import { forText, parseFor, requestText, stateText, subjectText } from "../../src/cli/access-text.ts";
import type { AccessRequest } from "../../src/wire/access-request.ts";

const request: AccessRequest = {
  ...{ id: "a".repeat(20), kind: "machine", state: "waiting" },
  user: { id: "b".repeat(20), name: "Ada", email: "ada@example.com" },
  ...{ device: { id: "d", name: "laptop" }, machine: { id: "m", name: "web1" }, local_user: "deploy" },
  ...{ group: null, reason: "", seconds: 3_600, seconds_max: 3_600 },
  ...{ created_at: "2026-01-01T00:00:00Z", waits_until: "2026-01-01T01:00:00Z" },
  ...{ approver_groups: [], url: "", decided_at: null, decided_by: null, note: "" },
  ...{ ends_at: null, ended_at: null, end_cause: null, digest: "" },
  ...{ is_own: false, may_decide: true, may_end: false },
};

test.each([
  ["60s", 60],
  ["30m", 1_800],
  ["2h", 7_200],
  ["1d", 86_400],
])("--for %s is %i seconds", (text, seconds) => {
  expect(parseFor(text)).toBe(seconds);
});

test.each(["59s", "0h", "2", "h", "-1h", "1.5h", "2 h", ""])("--for %p is refused", (text) => {
  expect(() => parseFor(text)).toThrow("--for must");
});

test("times are told in the largest unit that fits", () => {
  expect([60, 90, 3_600, 5_400, 86_400].map(forText)).toEqual(["1m", "90s", "1h", "90m", "1d"]);
});

test("a request is told with all that a decision is about", () => {
  expect(subjectText(request)).toBe("deploy@web1");
  const ops = { id: "g", name: "ops" };
  expect(subjectText({ ...request, machine: null, group: ops })).toBe("group ops");
  const text = requestText(request);
  for (const part of ["Ada <ada@example.com>", "deploy@web1", "laptop", "(none given)", "1h"]) {
    expect(text).toContain(part);
  }
});

test("a state is told with who decided, and why it is over", () => {
  expect(stateText(request)).toBe("waiting");
  expect(stateText({ ...request, state: "denied", decided_by: { id: "c", name: "Bob" } })).toBe(
    "denied by Bob",
  );
  expect(stateText({ ...request, state: "ended", end_cause: "taken_back" })).toBe("ended (taken back)");
  expect(stateText({ ...request, state: "approved", ends_at: "2026-01-01T00:10:00Z" })).toStartWith(
    "approved until ",
  );
});
