import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isQfError } from "../../src/base/errors.ts";
import { actionQuery, readPolicyText, readText } from "../../src/cli/policy-input.ts";
import { tempFolder } from "../support/temp-folder.ts";

const codeOf = (fn: () => unknown): string => {
  try {
    fn();
    return "none";
  } catch (error) {
    return isQfError(error) ? error.code : String(error);
  }
};

test.each([
  ["shell", "shell"],
  ["exec:/usr/bin/uptime -p", '{"exec":"/usr/bin/uptime -p"}'],
  ["forward:db:5432", '{"forward":"db:5432"}'],
  ["forward db:5432", '{"forward":"db:5432"}'],
  ["remote_forward:localhost:80", '{"remote_forward":"localhost:80"}'],
  ['{"forward":"db:1"}', '{"forward":"db:1"}'],
])("--action %s is asked as %s", (text, query) => {
  expect(actionQuery(text)).toBe(query);
});

test("a file that is missing, no text, too large or no policy file is refused, each by its code", () => {
  const path = join(tempFolder(), "policy.yaml");
  expect(codeOf(() => readPolicyText(path))).toBe("ERR_USAGE");
  writeFileSync(path, Buffer.from([0xff, 0xfe, 0x00]));
  expect(codeOf(() => readPolicyText(path))).toBe("ERR_UNPROCESSABLE");
  writeFileSync(path, "x".repeat(2_000_000));
  expect(codeOf(() => readPolicyText(path))).toBe("ERR_TOO_LARGE");
  expect(codeOf(() => readText(path, 10, "too large"))).toBe("ERR_TOO_LARGE");
  writeFileSync(path, "polices: []");
  expect(codeOf(() => readPolicyText(path))).toBe("ERR_UNPROCESSABLE");
  writeFileSync(path, "policies: []");
  expect(readPolicyText(path)).toBe("policies: []");
});
