/** Filters, limits and cursors of every list, with everything that people and attackers write into a URL. */
import { beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { z } from "zod";
import { ADMIN_ROUTES } from "../../../../src/management/http/admin/app.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { HOSTILE_NAMES } from "../../../support/hostile-names.ts";
import { anAccount, aPeerOf, aUserOf } from "../../../support/management.ts";

/** Words of another account: no query of ours brings them up. */
const FOREIGN = "foreign";
const NASTY = [
  ...HOSTILE_NAMES,
  ...["'", "' OR '1'='1", "'; DROP TABLE peers; --", '"', "`", "\\", "%", "_", "%25", "*", "?", "\0", "\n"],
  ...["-1", "0", "1", "01", "1e3", "0x10", "1.5", "99999999999999999999", "NaN", "Infinity", "null", "true"],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "id",
    "name desc",
    "id;id",
    "[object Object]",
    "[]",
    "{}",
    "$ne",
  ],
  ...["\u202e", "\ud800", "é", "e\u0301", "İ", "ß", "a".repeat(1_025), "a".repeat(70_000)],
];

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
  const { store } = api.management;
  for (const name of ["web1", "WEB2", "db_1", "100%"]) await aPeerOf(store, api.accountId, { name });
  await aUserOf(store, api.accountId, { isServiceUser: true, name: "bot" });
  const { accountId } = await anAccount(store, `${FOREIGN}@example.com`);
  await aPeerOf(store, accountId, { name: FOREIGN });
  await aUserOf(store, accountId, { isServiceUser: true, name: FOREIGN });
});

const lists = ADMIN_ROUTES.filter(
  ({ method, path, query }) =>
    method === "get" &&
    !path.includes(":") &&
    query instanceof z.ZodObject &&
    Object.keys(query.shape).length > 0,
);
/** An event is waited for on purpose. */
const namesOf = (route: (typeof lists)[number]): string[] =>
  route.query instanceof z.ZodObject
    ? Object.keys(route.query.shape).filter((name) => name !== "wait_seconds")
    : [];
const anyValue = fc.oneof(fc.constantFrom(...NASTY), fc.string({ maxLength: 40 }), fc.integer().map(String));

test("there are lists to ask", () => {
  expect(lists.length).toBeGreaterThan(8);
});

test.each(lists.map((route) => ({ path: route.path, route })))(
  "$path answers, refuses or finds nothing, and tells of no other account",
  async ({ path, route }) => {
    const names = [...namesOf(route), "sort", "order", "filter", "where", "account_id", "__proto__"];
    const pair = fc.tuple(fc.constantFrom(...names), anyValue);
    await fc.assert(
      fc.asyncProperty(fc.array(pair, { maxLength: 4 }), async (pairs) => {
        const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encode(value)}`).join("&");
        const { status, body } = await api.call("GET", `${path}?${query}`);
        expect([200, 400, 404, 422]).toContain(status);
        // What was asked for may come back in a refusal; rows of others may not.
        if (status === 200) expect(JSON.stringify(body)).not.toContain(FOREIGN);
        if (status !== 200) expect(typeof body.message).toBe("string");
      }),
      { numRuns: 60 },
    );
  },
);

test.each(["web", "%", "_", "100%", "db_", "'", "*", "web1' OR '1'='1"])(
  "a filter by the name part %p finds what has it, letter by letter",
  async (part) => {
    const { status, body } = await api.call("GET", `/api/peers?name=${encodeURIComponent(part)}`);
    expect(status).toBe(200);
    const all = (await api.call("GET", "/api/peers")).body as { name: string }[];
    const want = all.filter(({ name }) => name.toLowerCase().includes(part.toLowerCase()));
    expect((body as { name: string }[]).map(({ name }) => name).sort()).toEqual(
      want.map(({ name }) => name).sort(),
    );
  },
);

function encode(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    // Half a surrogate pair, as a client without care would send it.
    return "%ED%A0%80";
  }
}
