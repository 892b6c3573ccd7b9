/** Records of the embedded provider that stand for a password end with it, in the same second too. */
import { beforeEach, expect, test } from "bun:test";
import { insertIdpAccount, updateIdpAccount } from "../../../src/management/db/tables/sign-in.ts";
import { EMBEDDED_ISSUER } from "../../../src/management/db/tables/users.ts";
import { databasePayloads } from "../../../src/management/idp/database.ts";
import { passwordStamp } from "../../../src/management/idp/passwords.ts";
import type { PayloadStore } from "../../../src/management/idp/store.ts";
import { aManagement, anAccount, aUserOf, type TestManagement } from "../../support/management.ts";

let management: TestManagement;
let payloads: PayloadStore;
beforeEach(async () => {
  management = aManagement();
  const { accountId } = await anAccount(management.store);
  const user = await aUserOf(management.store, accountId, { issuer: EMBEDDED_ISSUER, subject: "carol" });
  await management.store.transaction((tx) =>
    insertIdpAccount(tx, {
      ...{ id: "carol", accountId, userId: user.id, email: user.email, passwordHash: "one" },
      ...{ passwordChangedAt: 0, failedAttempts: 0, lockedUntil: null, createdAt: 0 },
    }),
  );
  payloads = databasePayloads(management.store);
});

const put = (model: string, payload: Record<string, unknown>) =>
  payloads.upsert({ model, id: "x", payload, grantId: null, uid: "u", expiresAtSeconds: null });
const choose = (passwordHash: string) =>
  management.store.transaction((tx) => updateIdpAccount(tx, "carol", { passwordHash }));
const isFound = async (model: string) => {
  const found = [await payloads.find(model, "x"), await payloads.findByUid(model, "u")];
  return found.every((one) => one !== undefined);
};

test.each([
  ["Session", { accountId: "carol", acr: passwordStamp("one") }, true, false],
  ["Session", { accountId: "carol" }, false, false],
  ["Session", { accountId: "nobody", acr: passwordStamp("one") }, false, false],
  ["Session", {}, true, true],
  ["AuthorizationCode", { accountId: "carol", acr: passwordStamp("one") }, true, false],
  ["Interaction", { accountId: "carol" }, true, true],
])("%s of %p is found: %p, after another password: %p", async (model, payload, before, after) => {
  await put(model, payload);
  expect(await isFound(model)).toBe(before);
  await choose("two");
  expect(await isFound(model)).toBe(after);
});

test("a session that was read before the change and is written after it does not come back", async () => {
  const session = { accountId: "carol", acr: passwordStamp("one") };
  await put("Session", session);
  await choose("two");
  await put("Session", session);
  expect(await isFound("Session")).toBe(false);
});
