import { expect, test } from "bun:test";
import { requestTermsOf } from "../../../src/dashboard/terms/request-terms.ts";

test("an address opens a dialog of a request, or none", () => {
  expect([{ do: "approve" }, { do: "deny" }, { do: "end" }, {}].map(requestTermsOf)).toEqual([
    { do: "approve" },
    { do: "deny" },
    {},
    {},
  ]);
});
