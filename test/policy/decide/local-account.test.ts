import { expect, test } from "bun:test";
import { denialOfLocalAccount, denialOfShellless } from "../../../src/policy/decide/local-account.ts";

const account = {
  exists: true,
  uid: 1000,
  locked: false,
  expired: false,
  nologin: false,
  shellMissing: false,
};

test.each([
  ["lets an account in", {}, null],
  ["denies one that is not there", { exists: false }, "account_unknown"],
  ["denies a locked one", { locked: true }, "account_locked"],
  ["denies an expired one", { expired: true }, "account_expired"],
  ["denies one without a shell", { shellMissing: true }, "account_nologin"],
  ["lets one in whose shell refuses sessions: it may forward", { nologin: true }, null],
  ["says of one that is not there no more than that", { exists: false, locked: true }, "account_unknown"],
  ["says locked before expired", { locked: true, expired: true, shellMissing: true }, "account_locked"],
] as const)("denialOfLocalAccount %s", (_name, change, want) => {
  expect(denialOfLocalAccount({ ...account, ...change })).toBe(want);
});

test("denialOfShellless denies what a shell that refuses sessions would not see", () => {
  expect(denialOfShellless({ nologin: true })).toBe("account_nologin");
  expect(denialOfShellless({ nologin: false })).toBeNull();
});
