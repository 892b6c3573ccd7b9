import { expect, test } from "bun:test";
import { overBy, withGiven, withoutOver } from "../../../src/management/access/memberships.ts";
import type { UserRow } from "../../../src/management/db/tables/users.ts";

const given = { groupId: "a", until: 100, requestId: null };
const asked = { groupId: "b", until: 100, requestId: "r" };
const user = (autoGroupsUntil: UserRow["autoGroupsUntil"]) => ({ autoGroupsUntil }) as UserRow;

test("what an administrator gives replaces what one gave, and no membership of a request", () => {
  expect(withGiven([given, asked], [{ groupId: "c", until: 200 }])).toEqual([
    asked,
    { groupId: "c", until: 200, requestId: null },
  ]);
  expect(withGiven([given], [])).toBeNull();
  expect(withGiven(null, [])).toBeNull();
});

test("what an administrator gave is over at its end; requests end by themselves", () => {
  expect(overBy(user([given, asked]), 99)).toEqual([]);
  expect(overBy(user([given, asked]), 100)).toEqual([given]);
  expect(withoutOver(user([given, asked]), 100)).toEqual([asked]);
  expect(withoutOver(user([given]), 100)).toBeNull();
  expect(overBy(user(null), 100)).toEqual([]);
});
