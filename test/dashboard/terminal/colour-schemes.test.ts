import { expect, test } from "bun:test";
import { SCHEME_NAMES, schemeNamed, schemeOf } from "../../../src/dashboard/terminal/colour-schemes.ts";

test("every scheme but the page's has a ground of its own, and is found by its stored name", () => {
  const grounds = SCHEME_NAMES.map((name) => schemeOf(schemeNamed(name))?.background);
  expect(grounds[0]).toBeUndefined();
  for (const ground of grounds.slice(1)) expect(ground).toMatch(/^#[0-9a-f]{6}$/);
});

test.each([null, "", "mauve", "constructor"])("%p stored means the page's colours", (stored) => {
  expect(schemeNamed(stored)).toBe("page");
  expect(schemeOf(schemeNamed(stored))).toBeNull();
});
