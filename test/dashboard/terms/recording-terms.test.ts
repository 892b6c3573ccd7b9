/** The moment of a recording, in its address. */
import { expect, test } from "bun:test";
import { recordingTermsOf } from "../../../src/dashboard/terms/recording-terms.ts";

test.each([
  [{ t: 12.5 }, { t: 12.5 }],
  [
    { t: 12.5, from: "start" },
    { t: 12.5, from: "start" },
  ],
  [{ t: 0 }, {}],
  [{ t: -1 }, {}],
  [{ t: "1" }, {}],
  [{ t: Number.NaN }, {}],
  [{ t: 1e12, from: "end" }, {}],
])("%j is %j", (search, terms) => expect<object>(recordingTermsOf(search)).toEqual(terms));
