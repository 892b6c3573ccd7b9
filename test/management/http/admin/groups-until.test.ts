import { expect, test } from "bun:test";
import type { UserRow } from "../../../../src/management/db/tables/users.ts";
import { recordGroupsUntil, shownGroupsUntil } from "../../../../src/management/http/admin/groups-until.ts";

const user = (autoGroupsUntil: UserRow["autoGroupsUntil"]) =>
  ({ id: "u", name: "ada", autoGroupsUntil }) as UserRow;

test("memberships with an end are shown with where they come from, and told when they change", () => {
  const given = { groupId: "a", until: 60, requestId: null };
  const asked = { groupId: "b", until: 60, requestId: "r" };
  const until = "1970-01-01T00:01:00.000Z";
  expect(shownGroupsUntil(user(null))).toEqual({});
  expect(shownGroupsUntil(user([given, asked])).auto_groups_until).toEqual([
    { group: "a", until },
    { group: "b", until, request: "r" },
  ]);
  const events: unknown[] = [];
  recordGroupsUntil({ record: (event) => void events.push(event) }, user([given]), user([asked]));
  expect(events).toMatchObject([
    { activity: "user.group.add", meta: { group: "b", until } },
    { activity: "user.group.delete", meta: { group: "a" } },
  ]);
});
