import { expect, test } from "bun:test";
import { isNamedBy, mayBeClients, refusalOfPattern } from "../../src/wire/client-environment.ts";
import { PolicyRuleWrite } from "../../src/wire/policy.ts";

const NEVER = "names a variable that is never taken from a client";
const CODE = expect.stringContaining("can change what a listed command does");

test.each([
  ["LANG", false, null],
  ["GIT_*", false, null],
  ["GIT_*", true, CODE],
  ["GIT_PROTOCOL", true, null],
  ["GIT_AUTHOR_*", true, null],
  ["GIT_SSH_COMMAND", true, CODE],
  ["PYTHONPATH", false, null],
  ["PYTHON*", true, CODE],
  ["PS4", true, CODE],
  ["LD_PRELOAD", false, NEVER],
  ["LD_*", false, NEVER],
  ["NODE_OPTIONS", false, NEVER],
  ["SSH_*", false, NEVER],
  ["HOME", false, NEVER],
  // Others may begin so.
  ["HOME*", false, null],
  ["L*", false, null],
] as const)("refusalOfPattern of %s, with commands: %p", (pattern, hasCommands, want) => {
  expect(refusalOfPattern(pattern, hasCommands)).toEqual(want);
});

test("a pattern that stands for more never lets in what no policy may", () => {
  for (const name of ["LD_PRELOAD", "QF_TOKEN", "PATH", "a=b", "1A", ""]) {
    expect(mayBeClients(name, false)).toBe(false);
  }
  expect(mayBeClients("LESS", false)).toBe(true);
  expect(isNamedBy(["L*"], "LESS")).toBe(true);
  expect(isNamedBy(["LESS"], "LESSOPEN")).toBe(false);
});

test("a rule with a pattern that would never be in force is refused, with the reason at its place", () => {
  const rule = {
    ...{ name: "r", enabled: true, action: "accept", bidirectional: false, protocol: "qufabric-ssh" },
    ssh: { env: ["LANG", "LD_LIBRARY_PATH"] },
  };
  const { error } = PolicyRuleWrite.safeParse(rule);
  expect(error?.issues).toMatchObject([{ path: ["ssh", "env", 1], message: NEVER }]);
  expect(PolicyRuleWrite.safeParse({ ...rule, ssh: { env: ["GIT_*"] } }).success).toBe(true);
  const restricted = { env: ["GIT_*"], commands: ["/usr/bin/git-upload-pack"] };
  expect(PolicyRuleWrite.safeParse({ ...rule, ssh: restricted }).success).toBe(false);
});
