import { expect, test } from "bun:test";
import { SessionKill, SessionQuery } from "../../src/wire/session.ts";

test.each([
  [{}, true],
  [{ state: "live", since: "2026-11-30T08:00:00+01:00" }, true],
  [{ state: "open" }, false],
  [{ cursor: "1796000000000.d34hgk3f9s8d7f6g5h4j" }, true],
  [{ cursor: "-1.d34hgk3f9s8d7f6g5h4j" }, false],
  [{ limit: "1000" }, true],
  [{ limit: "1001" }, false],
  [{ until: "2026-11-30" }, false],
])("the query %j is taken: %p", (query, isTaken) => {
  expect(SessionQuery.safeParse(query).success).toBe(isTaken);
});

test.each([
  [undefined, true],
  ["Wartung, morgen weiter", true],
  ["x".repeat(160), true],
  ["x".repeat(161), false],
  ["", false],
  ["one\ntwo", false],
  ["\u001b]0;title\u0007", false],
  ["abc\u202edef", false],
  [" x", false],
])("the reason %j is taken: %p", (reason, isTaken) => {
  expect(SessionKill.safeParse({ reason }).success).toBe(isTaken);
});
