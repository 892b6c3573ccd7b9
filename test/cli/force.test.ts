/** The flag of changes that run the account's policy tests. */
import { expect, test } from "bun:test";
import { changePath } from "../../src/cli/force.ts";

test.each([
  ["with the flag", { force: true }, "/api/groups/g?force=true"],
  ["with the flag set to false", { force: false }, "/api/groups/g"],
  ["without the flag", {}, "/api/groups/g"],
])("%s, the change goes to its own path", (_, args, path) => {
  expect(changePath("/api/groups/g", args)).toBe(path);
});
