import { expect, test } from "bun:test";
import { newFaults } from "../../../src/policy/code/faults.ts";
import { namesOf } from "../../../src/policy/code/names.ts";
import { anId } from "../../support/policy.ts";
import { aPolicyAccount } from "../../support/policy-account.ts";

test("a name that is found is no fault, and one that is not is one, with what comes near", () => {
  const { group } = namesOf(aPolicyAccount());
  const faults = newFaults();
  const place = { at: "sources", what: "group" };
  expect(faults.name(group, "web", place)).toBe(anId("web"));
  expect(faults.all).toEqual([]);
  expect(faults.name(group, "wed", place)).toBeUndefined();
  expect(faults.name(group, "x".repeat(500), place)).toBeUndefined();
  expect(faults.all[0]?.hint).toContain('"web"');
  expect(faults.all[1]?.hint).toBeUndefined();
  expect(faults.all[1]?.message.length).toBeLessThan(130);
});
