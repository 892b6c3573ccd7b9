/** A request as its person confirms it: which changes of it make another one, and what the page shows. */
import { expect, test } from "bun:test";
import { confirmableOf } from "../../../../src/management/http/admin/confirmation.ts";

const request = {
  method: "POST",
  path: "/api/users/u1/tokens",
  summary: "Makes a token",
  body: { name: "mine", expires_in: 1 },
};

test.each([
  { method: "PUT" },
  { path: "/api/users/u2/tokens" },
  { path: "/api/users/u1/tokens?force=true" },
  { body: { name: "mine", expires_in: 2 } },
  { body: { name: "mine", expires_in: "1" } },
  { body: undefined },
])("another request has another digest: %j", (change) => {
  expect(confirmableOf({ ...request, ...change }).digest).not.toBe(confirmableOf(request).digest);
});

test("the same request has the same", () => {
  expect(confirmableOf({ ...request, body: { ...request.body } })).toEqual(confirmableOf(request));
});

test("a field that parsed to nothing is neither shown nor a part of it", () => {
  const body = { ...request.body, scope: undefined };
  expect(confirmableOf({ ...request, body })).toEqual(confirmableOf(request));
});

test("the page shows what it does, and no secret", () => {
  const body = {
    role: "admin",
    password: "hunter2hunter2",
    target: { type: "webhook", url: "https://example.com/hunter2", name: "ops" },
    list: Array.from({ length: 500 }, (_, i) => i),
  };
  const { facts } = confirmableOf({ ...request, body });
  expect(facts.slice(0, 4)).toEqual([
    ["Action", "Makes a token"],
    ["Request", "POST /api/users/u1/tokens"],
    ["role", '"admin"'],
    ["password", "not shown"],
  ]);
  expect(JSON.stringify(facts)).not.toContain("hunter2");
  expect(facts.every(([, value]) => value.length <= 161)).toBe(true);
});
