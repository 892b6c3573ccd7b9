import { expect, test } from "bun:test";
import {
  type GroupRequire,
  requireText,
  wholeRequire,
} from "../../../../src/dashboard/pages/groups/group-require.ts";

test.each<[require: GroupRequire | undefined, text: string]>([
  [undefined, ""],
  [{}, ""],
  [{ record: "off", reason: false, approval: false, reauth_within_seconds: null }, ""],
  [{ record: "required" }, "always recorded"],
  [{ record: "best_effort", reason: true }, "saying why, recorded where possible"],
  [{ approval: true, reauth_within_seconds: 600 }, "signed in within the last 10m, once approved"],
])("%j is said as %j", (require, text) => expect(requireText(require)).toBe(text));

test("what is taken out is sent as not required, since the API leaves unnamed fields as they were", () => {
  expect(wholeRequire({ reason: true })).toEqual({
    ...{ record: "off", reason: true, approval: false, reauth_within_seconds: null },
  });
});
