import { expect, test } from "bun:test";
import { settingsFor } from "../../../src/policy/maps/compile.ts";
import { requireAt, requiresOf } from "../../../src/policy/maps/group-floors.ts";
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
