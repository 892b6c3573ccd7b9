import { expect, test } from "bun:test";
import {
  accessText,
  changeLine,
  diffText,
  historyCells,
  testsText,
  usageCells,
} from "../../src/cli/policy-output.ts";
import type { PolicyDiff } from "../../src/wire/policy-code-api.ts";

const row = {
  user: { id: "u", name: "ada\u001b[2J" },
  machine: { id: "m", name: "web1" },
  local_user: "deploy",
  capabilities: ["connect", "shell"],
};
const same: PolicyDiff = {
  ...{ version: 1, digest: "A".repeat(43), same: true, changes: [] },
  ...{ gained: { total: 0, rows: [] }, lost: { total: 0, rows: [] }, ends: [] },
  decisions: { days: 7, considered: 0, truncated: false, differ: [] },
  ...{ tests: { passed: 0, failed: 0, results: [] }, warnings: [] },
};

test("names from elsewhere cannot drive the terminal", () => {
  expect(accessText([row])).not.toContain("\u001b");
  expect(changeLine({ what: "group", change: "added", name: "a\u001b]0;x\u0007" })).not.toContain("\u001b");
});

test("a difference names every part, and says where there is nothing", () => {
  expect(diffText(same).split("\n")).toHaveLength(2);
  const text = diffText({
    ...same,
    same: false,
    changes: [{ what: "rule", change: "changed", name: "deploy", rule: "rule 1", fields: ["ssh"] }],
    gained: { total: 51, rows: Array(51).fill(row) },
    warnings: ["mind this"],
  });
  expect(text).toMatch(/^~ .*deploy \(ssh\)$/m);
  expect(text).toContain("Access gained (51)");
  expect(text).toContain("1 more");
  expect(text).toContain("mind this");
});

test("a failing test is told with what was wanted and what is", () => {
  const asked = { user: "ada@example.com", machine: "web1", local_user: "root", expect: "allow" as const };
  const result = {
    number: 3,
    test: asked,
    passed: false,
    outcome: "deny" as const,
    reason: null,
    sentence: null,
  };
  const text = testsText({ passed: 1, failed: 1, results: [result] });
  for (const part of ["3.", asked.user, "root", "web1", "allow", "deny"]) expect(text).toContain(part);
});

test("a state's time is told in the form of the other tables", () => {
  const state = { at: "2026-11-30T20:13:26.000Z", by: null, via: "api", reason: "", changes: [] } as const;
  expect(historyCells({ ...state, number: 4, current: true, changes: [] }).slice(0, 2)).toEqual([
    "4 (in force)",
    "2026-11-30 20:13:26 UTC",
  ]);
});

test("the use of a rule is told by names; of a rule about networks nothing is known", () => {
  const policies = [
    {
      id: "p",
      name: "deploy",
      rules: [
        { id: "r", name: "them\u001b[2J" },
        { id: "s", name: "" },
      ],
    },
  ];
  const counted = { policy_id: "p", people: 2, machines: 3, counted_since: "2026-09-01T00:00:00.000Z" };
  const used = { ...counted, rule_id: "r", last_decided_at: "2026-11-30T20:13:26.000Z", unused: false };
  const [, rule, ...rest] = usageCells(used, policies);
  expect(rule).toStartWith("them");
  expect(rule).not.toContain("\u001b");
  expect(rest).toEqual(["2", "3", "2026-11-30 20:13:26 UTC", "no"]);
  const unused = { ...counted, rule_id: "s", last_decided_at: null, unused: true };
  expect(usageCells(unused, policies)).toEqual([
    ...["deploy", "rule 2", "2", "3"],
    ...["not since 2026-09-01 00:00:00 UTC", "yes"],
  ]);
  const network = { ...unused, rule_id: "gone", people: null, machines: null, unused: null };
  expect(usageCells(network, policies)).toEqual(["deploy", "gone", "-", "-", "not reported", "-"]);
});
