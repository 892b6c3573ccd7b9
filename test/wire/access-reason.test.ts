import { expect, test } from "bun:test";
import { isQfError } from "../../src/base/errors.ts";
import { AccessReason, parseReason } from "../../src/wire/access-reason.ts";
import { codeThrownBy } from "../support/failure.ts";

test.each([
  ["a ticket", "OPS-142: disk is full"],
  ["the shortest", "abc"],
  ["the longest", "a".repeat(256)],
  ["other writing", "резервная копия"],
  ["characters of two units, counted once", "🙂".repeat(256)],
  ["quotes, backslashes and markup, which are text", `"a' \\ <b> $(id) =1+1`],
])("%s is a reason", (_name, text) => {
  expect(AccessReason.parse(text)).toBe(text);
  expect(parseReason("--reason", `  ${text} `)).toBe(text);
});

test.each([
  ["nothing", ""],
  ["white space", "   \t "],
  ["two characters", "ab"],
  ["one character too many", "a".repeat(257)],
  ["2,000 characters", "a".repeat(2_000)],
  ["two lines", "first\nsecond"],
  ["a carriage return", "first\rsecond"],
  ["a line separator", "first\u2028second"],
  ["an escape sequence", "\u001b[2Jgone"],
  ["a NUL", "abc\u0000def"],
  ["a C1 control", "abc\u009bdef"],
  ["a change of direction", "abc\u202etxt"],
  ["half a surrogate pair", "abc\ud800def"],
])("%s is none", (_name, text) => {
  expect(AccessReason.safeParse(text).success).toBe(false);
  expect(codeThrownBy(() => parseReason("--reason", text))).toBe("ERR_USAGE");
});

test("what travels has no spaces around it", () => {
  expect(AccessReason.safeParse(" abc").success).toBe(false);
  expect(AccessReason.safeParse("abc ").success).toBe(false);
});

test("a refusal says what kind of reason is wanted", () => {
  const hintOf = (...reasonFor: ["change" | "denial"] | []): unknown => {
    try {
      return parseReason("--reason", "x", ...reasonFor);
    } catch (error) {
      return isQfError(error, "ERR_USAGE") ? error.hint : error;
    }
  };
  expect([hintOf(), hintOf("change"), hintOf("denial")]).toEqual([
    expect.stringContaining("access"),
    expect.stringContaining("changed"),
    expect.stringContaining("denied"),
  ]);
});

test("a refusal does not repeat what was typed", () => {
  try {
    parseReason("QF_REASON", "\u001b[2Jmarker");
  } catch (error) {
    expect(isQfError(error, "ERR_USAGE")).toBe(true);
    expect(String(error)).not.toContain("marker");
    return;
  }
  throw new Error("it was taken");
});
