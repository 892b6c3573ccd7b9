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

test("what matters is not hidden behind what is long, and what is left out is counted", () => {
  const settings = { long: "x".repeat(500), require: { record: "off" }, id_token_to_machine: false };
  const facts = new Map(confirmableOf({ ...request, body: { settings } }).facts);
  expect(facts.get("settings.require.record")).toBe('"off"');
  expect(facts.get("settings.id_token_to_machine")).toBe("false");
  expect(facts.has("More")).toBe(false);
  const list = Array.from({ length: 102 }, (_, i) => i);
  const { facts: many } = confirmableOf({ ...request, body: { list } });
  expect(many.at(-1)).toEqual(["More", "2 values that are not shown"]);
  expect(many).toHaveLength(103);
});

test.each([
  ["https://hooks.example.com/s3cret?key=s3cret", "https://hooks.example.com/..."],
  ["https://elsewhere.example:8443/", "https://elsewhere.example:8443/..."],
  ["s3cret", "not shown"],
])("of where a stream goes, %s, the page shows whose it is", (url, shown) => {
  const { facts } = confirmableOf({ ...request, body: { target: { type: "webhook", url } } });
  expect(new Map(facts).get("target.url")).toBe(shown);
});

test("text cannot turn its line around", () => {
  const { facts } = confirmableOf({ ...request, body: { name: "a\u202eb\u2066c" } });
  expect(new Map(facts).get("name")).toBe('"a b c"');
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
