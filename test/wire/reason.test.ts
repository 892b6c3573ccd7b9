import { expect, test } from "bun:test";
import { REASON_CODES, ReasonCode } from "../../src/wire/reason.ts";
import { CAPABILITY_OUTCOMES, OBLIGATION_OUTCOMES } from "../../src/wire/rule-outcome.ts";

test("every reason is a code of its own, in one spelling", () => {
  expect(new Set(REASON_CODES).size).toBe(REASON_CODES.length);
  expect(REASON_CODES.filter((code) => !/^[a-z0-9]+(?:_[a-z0-9]+)*$/.test(code))).toEqual([]);
});

test("the schema takes these codes and no other", () => {
  expect(REASON_CODES.filter((code) => !ReasonCode.safeParse(code).success)).toEqual([]);
  for (const other of ["", "granted", "dropped", "disabled", "USER_BLOCKED", null, 1]) {
    expect(ReasonCode.safeParse(other).success).toBe(false);
  }
});

test("reasons that rules give are taken from the one list of outcomes, in its order", () => {
  const places = [...OBLIGATION_OUTCOMES, ...CAPABILITY_OUTCOMES].map((code) => REASON_CODES.indexOf(code));
  expect(places.every((place) => place >= 0)).toBe(true);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});
