import { expect, test } from "bun:test";
import { userInfo } from "node:os";
import { ownUserName } from "../../src/base/own-user.ts";

test("ownUserName asks the system, whatever the environment says", () => {
  const result = Bun.spawnSync(["id", "-un"]);
  expect(ownUserName()).toBe(result.stdout.toString().trim());
  expect(ownUserName(4_000_000_000 - 1)).not.toBe("");
});

test("ownUserName is that of /etc/passwd for an id which is there, and never empty", () => {
  expect(ownUserName(0)).toBe("root");
  expect(ownUserName(process.geteuid?.() ?? 0)).toBe(ownUserName());
  const before = process.env.USER;
  process.env.USER = "somebody-else";
  expect(ownUserName()).not.toBe("somebody-else");
  expect(userInfo().uid).toBe(process.getuid?.() ?? -1);
  if (before === undefined) delete process.env.USER;
  else process.env.USER = before;
});
