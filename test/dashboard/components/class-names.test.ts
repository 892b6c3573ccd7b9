import { expect, test } from "bun:test";
import { classes } from "../../../src/dashboard/components/class-names.ts";

test("what does not apply is left out", () => {
  expect(classes("a", false, undefined, null, "", "b")).toBe("a b");
});
