import { expect, test } from "bun:test";
import {
  type SessionTerms,
  sessionQueryOf,
  sessionTermsOf,
} from "../../../src/dashboard/terms/session-terms.ts";

test.each<[search: Record<string, unknown>, terms: SessionTerms]>([
  [{}, {}],
  [
    { user: "ada@example.com", machine: 7, as: "root" },
    { user: "ada@example.com", machine: "7", as: "root" },
  ],
  [
    { show: "history", since: "2026-11-30", until: "" },
    { show: "history", since: "2026-11-30" },
  ],
  [{ since: "2026-11-30" }, {}],
  [{ show: "history", since: "yesterday", until: "2026-13-41" }, { show: "history" }],
  [{ show: "all", user: "x".repeat(255), other: "x" }, {}],
  [{ user: ["a"], machine: { a: 1 }, as: "" }, {}],
])("an address with %j asks for %j", (search, terms) => {
  expect(sessionTermsOf(search)).toEqual(terms);
});

test("a history through a day takes all of that day", () => {
  const query = sessionQueryOf({ show: "history", since: "2026-11-30", until: "2026-11-30", as: "root" });
  expect(query).toMatchObject({ state: "ended", local_user: "root" });
  expect(Date.parse(query.until ?? "") - Date.parse(query.since ?? "")).toBe(86_400_000);
});

test("without a list named it is the live one", () => {
  expect(sessionQueryOf({ user: "ada" })).toEqual({ state: "live", user: "ada" });
});
