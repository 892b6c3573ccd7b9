import { expect, test } from "bun:test";
import { PolicyAccount } from "../../src/wire/policy-account.ts";
import { WHOLE_FILE, withFile } from "../support/policy-account.ts";

test("an account is read back as it was written, and of another format not at all", () => {
  const account = withFile(WHOLE_FILE);
  expect(PolicyAccount.parse(JSON.parse(JSON.stringify(account)))).toEqual(account);
  expect(PolicyAccount.safeParse({ ...account, format: "qufabric-policy-account/2" }).success).toBe(false);
  expect(PolicyAccount.safeParse({ ...account, token: "x" }).success).toBe(false);
});
