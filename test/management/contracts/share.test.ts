import { expect, test } from "bun:test";
import { parseShare } from "../../../src/management/contracts/share.ts";

test.each([
  { typed: undefined, bytes: 7 },
  { typed: "0", bytes: 0 },
  { typed: "10", bytes: 10_000_000 },
  { typed: "1000000", bytes: 1_000_000_000_000 },
])("$typed is $bytes bytes", ({ typed, bytes }) => {
  expect(parseShare("--some-share", typed, 7)).toBe(bytes);
});

test.each(["", "-1", "1.5", "ten", "1000001", "1e3"])("%j is refused by the name of its flag", (typed) => {
  const failure = expect.objectContaining({
    code: "ERR_USAGE",
    message: expect.stringContaining("--some-share"),
  });
  expect(() => parseShare("--some-share", typed, 7)).toThrow(failure);
});
