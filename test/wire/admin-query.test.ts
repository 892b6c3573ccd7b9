import { expect, test } from "bun:test";
import {
  AuditQuery,
  GroupQuery,
  PAGE_MAX,
  PageQuery,
  PeerQuery,
  UserQuery,
} from "../../src/wire/admin-query.ts";

test.each([
  ["1", 1],
  [String(PAGE_MAX), PAGE_MAX],
  ["007", 7],
])("a page of %j entries is one of %d", (limit, wanted) => {
  expect(PageQuery.parse({ limit })).toEqual({ limit: wanted });
});

test.each(["0", String(PAGE_MAX + 1), "-1", "1.5", "1e2", "", " 1", "ten", "9".repeat(16)])(
  "a page of %j entries is refused",
  (limit) => {
    expect(PageQuery.safeParse({ limit }).success).toBe(false);
  },
);

test("a query without conditions has none", () => {
  for (const query of [PageQuery, UserQuery, PeerQuery, GroupQuery, AuditQuery]) {
    expect(query.parse({})).toEqual({});
  }
});

test.each([["true"], ["false"]] as const)("users may be asked for with service_user=%s", (service_user) => {
  expect(UserQuery.parse({ service_user })).toEqual({ service_user });
});

test("service_user is nothing else", () => {
  for (const service_user of ["1", "yes", ""])
    expect(UserQuery.safeParse({ service_user }).success).toBe(false);
});

test.each([
  [
    { after_seq: "0", wait_seconds: "25" },
    { after_seq: 0, wait_seconds: 25 },
  ],
  [{ cursor: "12" }, { cursor: 12 }],
  [{ receipt: "r".repeat(20) }, { receipt: "r".repeat(20) }],
])("an audit query %j is read as numbers", (query, wanted) => {
  expect(AuditQuery.parse(query)).toEqual(wanted as never);
});

test.each([{ wait_seconds: "26" }, { after_seq: "-1" }, { receipt: "short" }, { limit: "1001" }])(
  "an audit query %j is refused",
  (query) => {
    expect(AuditQuery.safeParse(query).success).toBe(false);
  },
);
