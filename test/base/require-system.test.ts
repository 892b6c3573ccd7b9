import { expect, test } from "bun:test";
import { platformFor } from "../../src/base/platform/platform.ts";
import { requireSystem } from "../../src/base/require-system.ts";
import { codeThrownBy } from "../support/failure.ts";

test("what a system cannot do is one line with what it can", () => {
  const windows = platformFor("win32");
  expect(codeThrownBy(() => requireSystem(true, "an agent", "", windows))).toBeUndefined();
  expect(codeThrownBy(() => requireSystem(false, "an agent", "use qf ssh", windows))).toBe("ERR_UNAVAILABLE");
});
