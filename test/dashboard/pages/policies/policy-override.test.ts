/** The reason of an override: what an apply says, and that it says nothing once it was ended. */
import { afterEach, expect, test } from "bun:test";
import {
  overrideFields,
  overrideReason,
  setOverrideReason,
} from "../../../../src/dashboard/pages/policies/policy-override.ts";

afterEach(() => setOverrideReason(null));

test("nothing is overridden at first", () => {
  expect([overrideReason(), overrideFields()]).toEqual([null, {}]);
});

test("an override says its reason, until it is ended", () => {
  setOverrideReason("INC-42");
  expect(overrideFields()).toEqual({ override: true, reason: "INC-42" });
  setOverrideReason(null);
  expect(overrideFields()).toEqual({});
});
