import { expect, test } from "bun:test";
import { stepAfter, stepOf } from "../../../src/dashboard/terms/start-step.ts";

test("a step leads to the next one, and the last to none", () => {
  expect([stepAfter("name"), stepAfter("policy"), stepAfter("login")]).toEqual(["sign-in", "login", null]);
});

test("an address names a step, or none", () => {
  expect([stepOf({ step: "people" }), stepOf({ step: "x" }), stepOf({})]).toEqual([
    { step: "people" },
    {},
    {},
  ]);
});
