import { beforeEach, expect, test } from "bun:test";
import { TestApi } from "../../../support/admin-api.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

const KEY = { name: "k", type: "reusable", expires_in: 86_400, auto_groups: [], usage_limit: 0 };
const make = async (change: object) =>
  (await api.call("POST", "/api/setup-keys", { ...KEY, ...change })).body;
const stateOf = async (id: string) => (await api.call("GET", `/api/setup-keys/${id}`)).body.state;

test.each([
  { name: "a second", expires_in: 1, validForMs: 999 },
  { name: "an hour", expires_in: 3_600, validForMs: 3_599_000 },
  { name: "two years", expires_in: 63_072_000, validForMs: 63_071_999_000 },
])("a key for $name is valid for that, and expired then", async ({ expires_in, validForMs }) => {
  const { id } = await make({ expires_in });
  api.management.clock.advanceMs(validForMs - 1_000);
  const token = await api.tokenAs("owner");
  const state = async () =>
    (await api.call("GET", `/api/setup-keys/${id}`, undefined, token.token)).body.state;
  expect(await state()).toBe("valid");
  api.management.clock.advanceMs(2_000);
  expect(await state()).toBe("expired");
});

test("a key without end stays valid until it is revoked", async () => {
  const made = await make({ expires_in: 0 });
  expect(made).toMatchObject({ expires: "0001-01-01T00:00:00Z", valid: true, state: "valid" });
  await api.call("PUT", `/api/setup-keys/${made.id}`, { revoked: true, auto_groups: [] });
  expect(await stateOf(made.id)).toBe("revoked");
});

test("a key that was read is written back without any change but its time", async () => {
  const { id } = await make({ auto_groups: [await api.aGroup("servers")] });
  const read = (await api.call("GET", `/api/setup-keys/${id}`)).body;
  expect((await api.call("PUT", `/api/setup-keys/${id}`, read)).body).toEqual(read);
});
