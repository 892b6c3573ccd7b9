import { expect, test } from "bun:test";
import { listTermsOf } from "../../../src/dashboard/terms/list-terms.ts";

test.each<[search: Record<string, unknown>, terms: object]>([
  [
    { q: "web", state: "blocked", kind: "service", role: "admin", do: "invite" },
    { q: "web", state: "blocked", kind: "service", role: "admin", do: "invite" },
  ],
  [{ q: 42 }, { q: "42" }],
  [{ q: "", state: null, page: 2 }, {}],
  [{ q: "x".repeat(257), role: ["admin"] }, {}],
])("of %j the terms are %j", (search, terms) => expect<object>(listTermsOf(search)).toEqual(terms));
