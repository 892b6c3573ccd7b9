import { expect, test } from "bun:test";
import { personTermsOf } from "../../../src/dashboard/terms/person-terms.ts";

test("a dialog that there is is opened by the address, and nothing else", () => {
  expect(personTermsOf({ do: "token", more: 1 })).toEqual({ do: "token" });
  expect(personTermsOf({ do: "promote" })).toEqual({});
  expect(personTermsOf({ do: ["edit"] })).toEqual({});
});
