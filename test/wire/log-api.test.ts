import { expect, test } from "bun:test";
import { BundleQuery, ConsistencyQuery, EntriesQuery, InclusionQuery } from "../../src/wire/log-api.ts";

test.each([
  ["an event", InclusionQuery, { seq: "1", size: "2" }, { seq: 1, size: 2 }],
  ["two sizes", ConsistencyQuery, { from: "0", to: "2" }, { from: 0, to: 2 }],
  ["nothing", ConsistencyQuery, {}, {}],
  ["a page", EntriesQuery, { after_seq: "0", limit: "1000" }, { after_seq: 0, limit: 1000 }],
  ["some time", BundleQuery, { since: "2026-01-01T00:00:00Z" }, { since: "2026-01-01T00:00:00Z" }],
])("a query of %s is read", (_, schema, query, value) => {
  expect<unknown>(schema.parse(query)).toEqual(value);
});

test.each([
  ["event 0", InclusionQuery, { seq: "0" }],
  ["a size below zero", ConsistencyQuery, { from: "-1" }],
  ["a size that is no number", ConsistencyQuery, { to: "x" }],
  ["too long a page", EntriesQuery, { limit: "1001" }],
  ["a time that is none", BundleQuery, { until: "yesterday" }],
])("a query of %s is not", (_, schema, query) => {
  expect(schema.safeParse(query).success).toBe(false);
});
