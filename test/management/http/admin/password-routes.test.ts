import { beforeEach, expect, test } from "bun:test";
import { findPasswordLink } from "../../../../src/management/db/tables/password-links.ts";
import { findPasswordUser, updateIdpAccount } from "../../../../src/management/db/tables/sign-in.ts";
import { passwordLinkHash } from "../../../../src/management/idp/password-change.ts";
import { hashPassword } from "../../../../src/management/idp/passwords.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aTokenOf, aUserOf } from "../../../support/management.ts";

let api: TestApi;
let annId = "";
beforeEach(async () => {
  api = await TestApi.open();
  const ann = { email: "ann@example.com", role: "user", auto_groups: [], is_service_user: false };
  annId = (await api.call("POST", "/api/users", ann)).body.id;
});

const linkRow = (link: string) =>
  api.management.store.read((tx) => findPasswordLink(tx, passwordLinkHash(link.split("/").at(-1) ?? "")));

/** As if the person had chosen it. */
async function setPassword(password: string): Promise<void> {
  const passwordHash = await hashPassword(password);
  await api.management.store.transaction(async (tx) => {
    const found = await findPasswordUser(tx, { userId: annId });
    await updateIdpAccount(tx, found?.login.id ?? "", { passwordHash });
  });
}

test("a person who was invited gets invitations only, one with a password resets only", async () => {
  expect((await api.call("POST", `/api/users/${annId}/password-reset`)).status).toBe(409);
  const first = (await api.call("POST", `/api/users/${annId}/invite`)).body.link;
  expect((await linkRow(first))?.kind).toBe("invitation");
  await setPassword("a good password");
  expect((await api.call("POST", `/api/users/${annId}/invite`)).status).toBe(409);
  const { link } = (await api.call("POST", `/api/users/${annId}/password-reset`)).body;
  expect([(await linkRow(link))?.kind, await linkRow(first)]).toEqual(["reset", undefined]);
});

test("a link ends by the clock", async () => {
  const { link } = (await api.call("POST", `/api/users/${annId}/invite`)).body;
  api.management.clock.advanceMs((7 * 86_400 - 1) * 1_000);
  expect(await linkRow(link)).toBeDefined();
  api.management.clock.advanceMs(1_000);
  expect(await linkRow(link)).toBeUndefined();
  // Still nobody's password.
  const users: { id: string; status: string }[] = (await api.call("GET", "/api/users")).body;
  expect(users.find(({ id }) => id === annId)?.status).toBe("invited");
});

test("nobody makes links for service users, strangers, or owners of whom they are none", async () => {
  const service = { name: "bot", role: "user", auto_groups: [], is_service_user: true };
  const bot = (await api.call("POST", "/api/users", service)).body.id;
  expect((await api.call("POST", `/api/users/${bot}/password-reset`)).status).toBe(409);
  expect((await api.call("POST", "/api/users/none/password-reset")).status).toBe(404);
  expect((await api.call("POST", `/api/users/${api.ownerId}/password-reset`)).status).toBe(403);
  const admin = await aUserOf(api.management.store, api.accountId, { role: "admin" });
  const token = await aTokenOf(api.management.store, admin);
  const refused = await api.call("POST", `/api/users/${api.ownerId}/password-reset`, undefined, token);
  expect(refused.status).toBe(403);
});

test("a password is changed by whoever knows it, and guessed no more often than at a sign-in", async () => {
  await setPassword("a good password");
  const token = await aTokenOf(api.management.store, { id: annId, accountId: api.accountId });
  const change = (old_password: string, new_password: string) =>
    api.call("PUT", `/api/users/${annId}/password`, { old_password, new_password }, token);
  expect((await change("a good password", "short")).status).toBe(422);
  expect((await change("a good password", "a good password")).status).toBe(422);
  expect((await change("wrong", "a better password")).status).toBe(403);
  expect((await change("a good password", "a better password")).status).toBe(200);
  expect((await change("a good password", "the best password")).status).toBe(403);
  let last = 0;
  for (let i = 0; i < 12 && last !== 429; i++) last = (await change("wrong", "a better password")).status;
  expect(last).toBe(429);
}, 60_000);
