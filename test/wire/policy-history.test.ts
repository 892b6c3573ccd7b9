import { expect, test } from "bun:test";
import { PolicyHistoryEntry, PolicyState } from "../../src/wire/policy-history.ts";

const entry = {
  ...{ number: 3, at: "2026-11-30T12:00:00.000Z", by: { id: "u", name: "ada" }, via: "dashboard" },
  ...{ reason: "", current: true, changes: [] },
};

test("an entry names who, when and by which way; a state from before has nobody", () => {
  expect(PolicyHistoryEntry.parse(entry)).toEqual(PolicyHistoryEntry.parse({ ...entry, more: 1 }));
  expect(PolicyHistoryEntry.parse({ ...entry, by: null }).by).toBeNull();
  expect(PolicyHistoryEntry.safeParse({ ...entry, via: "phone" }).success).toBe(false);
  expect(PolicyHistoryEntry.safeParse({ ...entry, at: "today" }).success).toBe(false);
});

test("a state is policies, groups and tests, all of them", () => {
  const state = { policies: [], groups: [], tests: [] };
  expect(PolicyState.parse(state)).toEqual(state);
  expect(PolicyState.safeParse({ policies: [], groups: [] }).success).toBe(false);
});
