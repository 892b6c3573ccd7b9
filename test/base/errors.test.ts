import { expect, test } from "bun:test";
import { FAILURES, type FailureCode, isQfError, QfError } from "../../src/base/errors.ts";

const codes = Object.keys(FAILURES) as FailureCode[];

test.each(codes)("%s has an exit status that a shell can tell from success, and an HTTP error", (code) => {
  const { exitCode, httpStatus } = FAILURES[code];
  expect([1, 2, 255]).toContain(exitCode);
  expect(httpStatus).toBeGreaterThanOrEqual(400);
  expect(httpStatus).toBeLessThan(600);
  expect(code).toMatch(/^ERR_[A-Z]+(?:_[A-Z]+)*$/);
});

test("only a mistake of usage exits with 2, as in other commands", () => {
  expect(codes.filter((code) => FAILURES[code].exitCode === 2)).toEqual(["ERR_USAGE"]);
});

test("failures of reaching or entering a peer exit with 255, as ssh(1) does without a session", () => {
  const noSession = codes.filter((code) => FAILURES[code].exitCode === 255);
  expect(noSession.sort()).toEqual([
    "ERR_ACCESS_DENIED",
    "ERR_HOST_KEY_MISMATCH",
    "ERR_PEER_UNKNOWN",
    "ERR_PEER_UNREACHABLE",
    "ERR_SSH",
  ]);
});

test("a QfError keeps code, message, hint and cause apart", () => {
  const cause = new Error("with a secret");
  const error = new QfError("ERR_SSH", "it broke", { hint: "try again", cause });
  expect({ code: error.code, message: error.message, hint: error.hint }).toEqual({
    code: "ERR_SSH",
    message: "it broke",
    hint: "try again",
  });
  expect(error.cause).toBe(cause);
  expect(error.message).not.toContain("secret");
  expect(new QfError("ERR_SSH", "it broke").hint).toBeUndefined();
});

test.each([
  ["a QfError", new QfError("ERR_SSH", "it broke"), true, true],
  ["a QfError of another code", new QfError("ERR_TIMEOUT", "too slow"), true, false],
  ["another error with such a code", Object.assign(new Error("x"), { code: "ERR_SSH" }), false, false],
  ["what is no error", { code: "ERR_SSH", message: "x" }, false, false],
  ["nothing", undefined, false, false],
])("isQfError tells %s from the rest", (_what, error, isOurs, isSsh) => {
  expect(isQfError(error)).toBe(isOurs);
  expect(isQfError(error, "ERR_SSH")).toBe(isSsh);
});
