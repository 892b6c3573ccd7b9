import { expect, test } from "bun:test";
import { newPolicyTermsOf } from "../../../src/dashboard/terms/new-policy-terms.ts";

test("a new policy begins with a copy, or with what was refused; anything else is ignored", () => {
  expect(newPolicyTermsOf({ copy: "p1", user: "ada" })).toEqual({ copy: "p1" });
  expect(newPolicyTermsOf({ user: "ada", machine: "web1", as: "root", x: 1 })).toEqual({
    ...{ user: "ada", machine: "web1", as: "root" },
  });
  expect(newPolicyTermsOf({ copy: 7, user: "" })).toEqual({});
});
