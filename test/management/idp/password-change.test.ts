import { expect, test } from "bun:test";
import { findPasswordLink } from "../../../src/management/db/tables/password-links.ts";
import {
  createPasswordLink,
  passwordLinkHash,
  passwordProblem,
} from "../../../src/management/idp/password-change.ts";
import { aManagement, anAccount, aUserOf } from "../../support/management.ts";

test.each([
  ["", false],
  ["1234567", false],
  ["12345678", true],
  ["correct horse battery staple", true],
  ["ünïcödé", false],
  ["x".repeat(1_024), true],
  ["x".repeat(1_025), false],
])("whether %p may be a password: %p", (password, isGood) => {
  expect(passwordProblem(password) === null).toBe(isGood);
});

test("a link holds a secret of which only the digest is stored", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  const { id: userId } = await aUserOf(management.store, accountId);
  const { url, expiresAt } = await management.store.transaction((tx) =>
    createPasswordLink(tx, "https://qf.example.com", { userId, kind: "reset" }),
  );
  const secret = url.replace("https://qf.example.com/idp/password/", "");
  expect(secret).toMatch(/^[\w-]{43}$/);
  expect(expiresAt).toBe(Math.floor(management.clock.nowMs() / 1_000) + 86_400);
  const row = await management.store.read((tx) => findPasswordLink(tx, passwordLinkHash(secret)));
  expect(row).toMatchObject({ userId, kind: "reset" });
  expect(JSON.stringify(row)).not.toContain(secret);
});
