import { afterEach, expect, spyOn, test } from "bun:test";
import { compileHotCode } from "../../src/base/jit-policy.ts";

const setPolicy = spyOn(Bun.unsafe, "setJITPolicy");
afterEach(() => setPolicy.mockClear());

test("compileHotCode goes back to the runtime's own policy", () => {
  compileHotCode();
  expect(setPolicy.mock.calls).toEqual([[1]]);
});
