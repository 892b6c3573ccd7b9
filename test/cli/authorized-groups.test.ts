/** `--authorized-groups`: OS users by group. */
import { expect, test } from "bun:test";
import { isQfError } from "../../src/base/errors.ts";
import { authorizedIds, parseAuthorized } from "../../src/cli/authorized-groups.ts";
import { REPEAT_SEPARATOR } from "../../src/cli/strict-args.ts";

test("a group that is named twice gets both lists", () => {
  expect([...parseAuthorized(["Devs=deploy,web", "Devs=db", "A=B=c"])]).toEqual([
    ["Devs", ["deploy", "web", "db"]],
    ["A=B", ["c"]],
  ]);
});

test.each(["Devs", "Devs=", "=deploy", ""])("%j is refused", (entry) => {
  let thrown: unknown;
  try {
    parseAuthorized([entry]);
  } catch (error) {
    thrown = error;
  }
  expect(isQfError(thrown, "ERR_USAGE")).toBe(true);
});

test("authorizedIds writes lists under the groups' ids", async () => {
  const admin = { groupIds: async (names: readonly string[]) => names.map((name) => `id-${name}`) };
  const text = ["Devs=deploy", "Ops=*"].join(REPEAT_SEPARATOR);
  expect(await authorizedIds(admin, text)).toEqual({ "id-Devs": ["deploy"], "id-Ops": ["*"] });
});
