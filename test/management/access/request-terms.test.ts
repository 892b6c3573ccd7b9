import { expect, test } from "bun:test";
import { isApprover, termsOfGroup, termsOfRule } from "../../../src/management/access/request-terms.ts";
import type { GroupRow } from "../../../src/management/db/tables/groups.ts";
import type { PolicyRuleRow } from "../../../src/management/db/tables/policies.ts";
import type { UserRow } from "../../../src/management/db/tables/users.ts";

const rule = (body: object) => ({ id: "rule", body }) as Pick<PolicyRuleRow, "id" | "body">;
const group = (change: object) => ({ id: "ops", isAll: false, settings: null, ...change }) as GroupRow;
const person = (change: Partial<UserRow>) =>
  ({
    ...{ role: "user", autoGroups: [], isServiceUser: false, isBlocked: false, pendingApproval: false },
    ...change,
  }) as UserRow;

test("terms of a rule change with what it asks and who decides, not with its name", () => {
  const plain = termsOfRule(rule({ name: "a", ssh: { require_approval: true } }));
  expect(plain).toMatchObject({ approverGroups: [], secondsMax: 3_600 });
  const same = termsOfRule(rule({ name: "b", ssh: { require_approval: true }, approver_groups: [] }));
  expect(same.digest).toBe(plain.digest);
  const changes = [
    { ssh: { require_approval: true, sftp: "off" } },
    { ssh: { require_approval: true }, approver_groups: ["chiefs"] },
    { ssh: { require_approval: true }, approval_seconds: 60 },
  ];
  for (const change of changes) expect(termsOfRule(rule(change)).digest).not.toBe(plain.digest);
});

test("only a group that is requestable has terms, and All never has", () => {
  expect(termsOfGroup(group({}))).toBeNull();
  expect(termsOfGroup(group({ settings: { requestable: false } }))).toBeNull();
  expect(termsOfGroup(group({ isAll: true, settings: { requestable: true } }))).toBeNull();
  expect(termsOfGroup(group({ settings: { requestable: true } }))).toMatchObject({ secondsMax: 28_800 });
});

test.each<[string, Partial<UserRow>, string[], boolean]>([
  ["an owner where no group is named", { role: "owner" }, [], true],
  ["an admin where no group is named", { role: "admin" }, [], true],
  ["an auditor where no group is named", { role: "auditor" }, [], false],
  ["an owner where another group is named", { role: "owner" }, ["chiefs"], false],
  ["a member", { autoGroups: ["chiefs"] }, ["chiefs"], true],
  [
    "a member for a while",
    { autoGroupsUntil: [{ groupId: "chiefs", until: 4e9, requestId: null }] },
    ["chiefs"],
    false,
  ],
  ["everybody where All is named", {}, ["all"], true],
  ["a service user", { role: "admin", isServiceUser: true }, [], false],
  ["a blocked admin", { role: "admin", isBlocked: true }, [], false],
  ["an admin who waits", { role: "admin", pendingApproval: true }, [], false],
])("who decides: %s", (_, change, approverGroups, want) => {
  expect(isApprover(person(change), { approverGroups }, "all")).toBe(want);
});
