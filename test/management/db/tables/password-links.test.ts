import { beforeEach, expect, test } from "bun:test";
import {
  findPasswordLink,
  putPasswordLink,
  usePasswordLink,
} from "../../../../src/management/db/tables/password-links.ts";
import { aManagement, anAccount, aUserOf, type TestManagement } from "../../../support/management.ts";

let management: TestManagement;
let userId = "";
beforeEach(async () => {
  management = aManagement();
  const { accountId } = await anAccount(management.store);
  userId = (await aUserOf(management.store, accountId)).id;
});

const put = (hash: string, kind: "invitation" | "reset" = "invitation") => {
  const createdAt = Math.floor(management.clock.nowMs() / 1_000);
  const link = { hash, userId, kind, createdAt, expiresAt: createdAt + 60 };
  return management.store.transaction((tx) => putPasswordLink(tx, link));
};
const find = (hash: string) => management.store.read((tx) => findPasswordLink(tx, hash));
const use = (hash: string) => management.store.transaction((tx) => usePasswordLink(tx, hash));

test("a person has one link: the newest", async () => {
  await put("a");
  await put("b", "reset");
  expect([await find("a"), (await find("b"))?.kind]).toEqual([undefined, "reset"]);
});

test("a link works once", async () => {
  await put("a");
  expect([(await use("a"))?.userId, await use("a"), await use("none")]).toEqual([
    userId,
    undefined,
    undefined,
  ]);
});

test("a link that has expired is neither found nor used", async () => {
  await put("a");
  management.clock.advanceMs(60_000);
  expect([await find("a"), await use("a")]).toEqual([undefined, undefined]);
});
