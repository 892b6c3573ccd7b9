/** What of the provider's records lies in the database, and that a code is spent once. */
import { beforeEach, expect, test } from "bun:test";
import type { Adapter } from "oidc-provider";
import { QfError } from "../../../src/base/errors.ts";
import { createAdapterFactory } from "../../../src/management/idp/adapter.ts";
import type { PayloadRow, PayloadStore } from "../../../src/management/idp/store.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { fakePayloads } from "../../support/idp-store.ts";

const SECRET = "a-code-that-is-worth-a-sign-in";
let rows: PayloadRow[];
let adapterOf: (model: string) => Adapter;

function open(change: Partial<PayloadStore> = {}): void {
  rows = [];
  const store = fakePayloads();
  adapterOf = createAdapterFactory({
    payloads: {
      ...store,
      async upsert(row) {
        rows.push(row);
        await store.upsert(row);
      },
      ...change,
    },
    clock: new FakeClock(),
    usedBefore: () => new Error("used before"),
    unavailable: () => new Error("unavailable"),
  });
}
beforeEach(() => open());

test.each(["AuthorizationCode", "AccessToken"])(
  "of %s nothing lies there that could be used",
  async (model) => {
    const adapter = adapterOf(model);
    await adapter.upsert(SECRET, { jti: SECRET, accountId: "a", grantId: "g" }, 60);
    expect(JSON.stringify(rows)).not.toContain(SECRET);
    expect(await adapter.find(SECRET)).toMatchObject({ jti: SECRET, accountId: "a" });
    expect(await adapter.find(`${SECRET}x`)).toBeUndefined();
    expect(await adapter.find(rows[0]?.id ?? "")).toBeUndefined();
  },
);

test("a record of one model is not found as another", async () => {
  await adapterOf("AuthorizationCode").upsert(SECRET, { jti: SECRET }, 60);
  expect(await adapterOf("AccessToken").find(SECRET)).toBeUndefined();
});

test("a code is spent once, also by two at once", async () => {
  const adapter = adapterOf("AuthorizationCode");
  await adapter.upsert(SECRET, { jti: SECRET }, 60);
  const spent = await Promise.allSettled([adapter.consume(SECRET), adapter.consume(SECRET)]);
  expect(spent.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  await expect(adapter.consume(SECRET)).rejects.toThrow("used before");
});

test("a code that was never given out cannot be spent", async () => {
  await expect(adapterOf("AuthorizationCode").consume("made up")).rejects.toThrow("used before");
});

test("a database that cannot be written is told as what the client knows", async () => {
  open({ upsert: () => Promise.reject(new QfError("ERR_UNAVAILABLE", "full")) });
  await expect(adapterOf("Session").upsert("s", {}, 60)).rejects.toThrow("unavailable");
});
