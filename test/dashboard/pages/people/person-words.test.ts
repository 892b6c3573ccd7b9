import { expect, test } from "bun:test";
import { csvOf } from "../../../../src/dashboard/components/csv.ts";
import {
  changesOf,
  nameOf,
  PEOPLE_CSV,
  type PersonState,
  type Role,
  rolesFor,
  stateOf,
  type User,
} from "../../../../src/dashboard/pages/people/person-words.ts";
import { NEVER } from "../../../../src/wire/admin-api.ts";

const ADA: User = {
  ...{ id: "d34hgk3f9s8d7f6g5h4j", email: "ada@example.com", name: "Ada", role: "user", auto_groups: ["g1"] },
  ...{ status: "active", last_login: NEVER, is_current: false, is_service_user: false, is_blocked: false },
  ...{ pending_approval: false, issued: "api", idp_id: "" },
};

test.each<[user: Partial<User>, state: PersonState]>([
  [{}, "active"],
  [{ is_service_user: true }, "service"],
  [{ status: "invited" }, "invited"],
  [{ status: "invited", pending_approval: true }, "waiting"],
  [{ is_blocked: true, pending_approval: true, is_service_user: true }, "blocked"],
])("one who is %j is %s", (user, state) => expect(stateOf({ ...ADA, ...user })).toBe(state));

test("who has no name is called by the address", () => {
  expect(nameOf({ name: "", email: "ada@example.com" })).toBe("ada@example.com");
});

test.each<[actor: Role, about: Parameters<typeof rolesFor>[1], roles: Role[]]>([
  ["owner", { isServiceUser: false }, ["user", "auditor", "admin", "owner"]],
  ["owner", { isServiceUser: true }, ["user", "auditor", "admin"]],
  ["admin", { isServiceUser: false }, ["user", "auditor", "admin"]],
  // What somebody is already stays a choice.
  ["admin", { isServiceUser: false, current: "owner" }, ["user", "auditor", "admin", "owner"]],
  [
    "admin",
    { isServiceUser: false, current: "network_admin" },
    ["network_admin", "user", "auditor", "admin"],
  ],
])("a caller who is %s gives, for %j, %j", (role, about, roles) => {
  expect(rolesFor({ role }, about).map(({ value }) => value)).toEqual(roles);
});

test("a change is told by what becomes of role and groups; none is no line", () => {
  const names = (id: string): string => ({ g1: "Developers", g2: "On call" })[id] ?? id;
  expect(changesOf(ADA, { role: "user", groups: ["g1"] }, names)).toEqual([]);
  expect(changesOf(ADA, { role: "admin", groups: ["g2"] }, names)).toEqual([
    "Role: user becomes admin.",
    "Joins On call.",
    "Leaves Developers.",
  ]);
});

test("an export has nothing where somebody never signed in", () => {
  const row = csvOf(PEOPLE_CSV, [{ ...ADA, groups: ["Developers", "a, b"] }]).split("\r\n")[1];
  expect(row).toBe('d34hgk3f9s8d7f6g5h4j,Ada,ada@example.com,person,user,active,"Developers; a, b",');
});
