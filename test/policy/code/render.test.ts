import { expect, test } from "bun:test";
import { planOf } from "../../../src/policy/code/plan.ts";
import { renderFile } from "../../../src/policy/code/render.ts";
import { resolveFile } from "../../../src/policy/code/resolve.ts";
import { PolicyFile } from "../../../src/wire/policy-file.ts";
import { WHOLE_FILE, withFile } from "../../support/policy-account.ts";

test("what is rendered resolves to the very same account", () => {
  const account = withFile(WHOLE_FILE);
  const again = resolveFile(PolicyFile.parse(renderFile(account)), account);
  expect(again.kind).toBe("resolved");
  if (again.kind !== "resolved") return;
  expect(again.account).toEqual(account);
  expect(planOf(account, again.account)).toEqual([]);
  expect(again.account.policies).toBe(account.policies);
});

test("two policies of one name are told apart by their ids", () => {
  const account = withFile(WHOLE_FILE);
  const twins = { ...account, policies: account.policies.map((policy) => ({ ...policy, name: "twin" })) };
  const file = PolicyFile.parse(renderFile(twins));
  expect(file.policies?.every(({ id }) => id?.startsWith("id:"))).toBe(true);
  expect(resolveFile(file, twins)).toEqual({ kind: "resolved", account: twins });
});
