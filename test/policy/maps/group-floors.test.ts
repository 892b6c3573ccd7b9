import { expect, test } from "bun:test";
import { floorOf } from "../../../src/policy/decide/obligations.ts";
import { settingsFor } from "../../../src/policy/maps/compile.ts";
import { lowersFloors, requireAt, requiresOf } from "../../../src/policy/maps/group-floors.ts";
import { aMap } from "../../support/policy.ts";

const requires = requiresOf([
  { id: "web", settings: { require: { record: "best_effort", reauth_within_seconds: 600 } } },
  { id: "db", settings: { require: { record: "required", reason: true, reauth_within_seconds: null } } },
  { id: "ops", settings: { requestable: true } },
  { id: "new", settings: null },
]);

test("a machine has to meet the stricter of what its groups require, and of what the account does", () => {
  const both = { record: "required", reason: true, approval: false, reauthWithinSeconds: 600 } as const;
  expect(requireAt(["ops", "new"], requires)).toEqual({});
  expect(requireAt(["web", "ops", "db"], requires)).toEqual({ require: both });
  const { settings } = aMap({});
  const account = { ...settings, require: { ...settings.require, approval: true, reauthWithinSeconds: 60 } };
  expect(settingsFor(account, requireAt(["web", "db"], requires)).require).toEqual({
    ...{ record: "required", reason: true, approval: true, reauthWithinSeconds: 60 },
  });
  expect(settingsFor(account, {})).toBe(account);
});

test.each([
  [{}, { record: "required" }, false],
  [{ record: "required" }, { record: "best_effort" }, true],
  [{ reason: true }, { approval: true }, true],
  [{ reason: true }, { reason: true, approval: true }, false],
  [{ reauth_within_seconds: 60 }, { reauth_within_seconds: 61 }, true],
  [{ reauth_within_seconds: 60 }, { reauth_within_seconds: 59 }, false],
  [{ reauth_within_seconds: 60 }, {}, true],
] as const)(
  "machines that had to meet %j and have to meet %j are held to less: %p",
  (before, after, isLess) => {
    const [was, is] = [new Map([["db", floorOf(before)]]), new Map([["db", floorOf(after)]])];
    const none = new Map();
    expect(lowersFloors({ groups: was, machines: none }, { groups: is, machines: none })).toBe(isLess);
    expect(lowersFloors({ groups: none, machines: was }, { groups: none, machines: is })).toBe(isLess);
  },
);

test("a group or a machine that is gone is held to nothing", () => {
  const floors = { groups: requires, machines: new Map([["web1", floorOf({ reason: true })]]) };
  const none = { groups: new Map(), machines: new Map() };
  expect(lowersFloors(floors, { ...floors, groups: none.groups })).toBe(true);
  expect(lowersFloors(floors, { ...floors, machines: none.machines })).toBe(true);
  const others = new Map([...requires].filter(([id]) => id !== "db"));
  expect(lowersFloors(floors, { ...floors, groups: others })).toBe(true);
  expect(lowersFloors(floors, floors)).toBe(false);
  expect(lowersFloors(none, floors)).toBe(false);
});
