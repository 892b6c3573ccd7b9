import { describe, expect, test } from "bun:test";
import { decidersOf, refusalOf } from "../../../src/dashboard/terminal/approval-wait.ts";

const REQUEST = {
  ...{ id: "r1", kind: "machine", state: "denied", reason: "", seconds: 60, seconds_max: 60, note: "" },
  ...{ user: { id: "u1", name: "Ada", email: "" }, device: null, machine: null, local_user: "root" },
  ...{ group: null, created_at: "", waits_until: "", approver_groups: [], url: "", decided_at: null },
  ...{ decided_by: { id: "u2", name: "Bob" }, ends_at: null, ended_at: null, end_cause: null },
  ...{ is_own: true, may_decide: false, may_end: false, digest: "" },
} as unknown as Parameters<typeof refusalOf>[0];

describe("refusalOf", () => {
  test.each<[what: string, change: Partial<typeof REQUEST>, says: string]>([
    ["a denial, with who said it", {}, "Bob denied it."],
    ["a denial, with its words", { note: "use web2" }, "Bob denied it: use web2"],
    ["a denial of someone without a name", { decided_by: { id: "u2", name: "" } }, "The approver denied it."],
    ["a denial of someone who is gone", { decided_by: null }, "The approver denied it."],
    ["a request that nobody answered", { state: "expired" }, "Nobody decided in time."],
    ["a request that was withdrawn elsewhere", { state: "cancelled" }, "The request was withdrawn."],
    ["an approval that is over already", { state: "ended" }, "The approval has ended."],
  ])("says %s", (_what, change, says) => {
    expect(refusalOf({ ...REQUEST, ...change }).message).toBe(says);
  });
});

test("decidersOf names the groups, or owners and admins where there are none", () => {
  const groups = (...names: string[]) => names.map((name) => ({ id: name, name }));
  const lists = [groups(), groups("Leads", "Ops")];
  expect(lists.map((approver_groups) => decidersOf({ approver_groups }))).toEqual([
    "an owner or admin",
    "a member of Leads or Ops",
  ]);
});
