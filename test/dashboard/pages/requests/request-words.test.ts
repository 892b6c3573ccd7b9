import { expect, test } from "bun:test";
import {
  approversText,
  causeText,
  type Request,
  subjectText,
  toneOf,
} from "../../../../src/dashboard/pages/requests/request-words.ts";

const request = (change: Partial<Request>) =>
  ({ machine: { id: "m", name: "web1" }, local_user: "deploy", group: null, ...change }) as Request;

test("a request is named by the machine, or the group", () => {
  expect(subjectText(request({}))).toBe("deploy on web1");
  expect(subjectText(request({ machine: null, group: { id: "g", name: "ops" } }))).toBe("the group ops");
});

test("who decides is a group, or owners and admins", () => {
  const [leads, chiefs] = [
    { id: "a", name: "leads" },
    { id: "b", name: "chiefs" },
  ];
  expect(approversText({ approver_groups: [] })).toEndWith("owner or admin");
  expect(approversText({ approver_groups: [leads, chiefs] })).toEndWith("leads or chiefs");
});

test("each state has a colour, and each end a cause in words", () => {
  const states = ["waiting", "approved", "denied", "cancelled", "expired", "ended"] as const;
  expect(states.map((state) => toneOf({ state }))).toEqual([
    "warn",
    "good",
    "bad",
    "plain",
    "plain",
    "plain",
  ]);
  const causes = ["time", "taken_back", "given_up", "rule_changed", "approver_gone"] as const;
  expect(new Set(causes.map((end_cause) => causeText({ end_cause }))).size).toBe(5);
  expect(causeText({ end_cause: null })).toBeNull();
});
