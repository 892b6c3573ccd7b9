/** Whose tokens one may see and delete; making them is in users-routes.test.ts. */
import { beforeEach, describe, expect, test } from "bun:test";
import { nowSeconds } from "../../../../src/base/clock.ts";
import { newId } from "../../../../src/base/random.ts";
import { insertLogin, listRevokedLogins } from "../../../../src/management/db/tables/logins.ts";
import type { Role } from "../../../../src/wire/admin-api.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aTokenOf, aUserOf } from "../../../support/management.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

type Whose = Role | "self" | "service";

/** Somebody who calls, and a user with one token. */
async function people(by: Role, whose: Whose) {
  const { store } = api.management;
  const actor = await api.tokenAs(by);
  if (whose === "service") {
    const { id } = await aUserOf(store, api.accountId, { isServiceUser: true });
    const made = await api.call("POST", `/api/users/${id}/tokens`, { name: "t", expires_in: 1 });
    return { actor, path: `/api/users/${id}/tokens`, tokenId: made.body.personal_access_token.id as string };
  }
  const user = whose === "self" ? actor : await api.tokenAs(whose);
  const path = `/api/users/${user.id}/tokens`;
  const made = await api.call("POST", path, { name: "t", expires_in: 1 }, user.token);
  return { actor, path, tokenId: made.body.personal_access_token.id as string };
}

describe("a token is seen and deleted", () => {
  test.each<[by: Role, whose: Whose, read: number, remove: number]>([
    ["owner", "owner", 200, 200],
    ["owner", "admin", 200, 200],
    ["owner", "service", 200, 200],
    ["admin", "self", 200, 200],
    ["admin", "owner", 200, 403],
    ["admin", "admin", 200, 200],
    ["admin", "user", 200, 200],
    ["admin", "service", 200, 200],
    ["auditor", "self", 200, 200],
    ["auditor", "user", 200, 403],
    ["auditor", "owner", 200, 403],
    ["auditor", "service", 200, 403],
    ["network_admin", "user", 200, 403],
    ["billing_admin", "self", 200, 200],
    ["billing_admin", "user", 404, 404],
    ["user", "self", 200, 200],
    ["user", "user", 404, 404],
    ["user", "service", 404, 404],
  ])("by %s of %s: %i and %i", async (by, whose, read, remove) => {
    const { actor, path, tokenId } = await people(by, whose);
    const statuses = [
      await api.call("GET", path, undefined, actor.token),
      await api.call("GET", `${path}/${tokenId}`, undefined, actor.token),
      await api.call("DELETE", `${path}/${tokenId}`, undefined, actor.token),
    ].map(({ status }) => status);
    expect(statuses).toEqual([read, read, remove]);
    const left = await api.call("GET", `${path}/${tokenId}`);
    expect(left.status).toBe(remove === 200 ? 404 : 200);
  });

  test("under its own user only", async () => {
    const { path, tokenId } = await people("owner", "user");
    const other = (await people("owner", "admin")).path;
    expect((await api.call("GET", `${other}/${tokenId}`)).status).toBe(404);
    expect((await api.call("DELETE", `${other}/${tokenId}`)).status).toBe(404);
    expect((await api.call("GET", `${path}/${tokenId}`)).status).toBe(200);
  });
});

test("a token for signing in takes its logins along, and no other token's", async () => {
  const { store } = api.management;
  const user = await aUserOf(store, api.accountId, { isServiceUser: true });
  const [gone, kept] = [newId(), newId()];
  for (const id of [gone, kept]) {
    await aTokenOf(store, user, { id, scope: "ssh" });
    const issuedAt = nowSeconds(api.management.clock);
    const times = { issuedAt, authTime: null, createdAt: issuedAt, until: issuedAt + 3_600, revokedAt: null };
    await store.transaction((tx) =>
      insertLogin(tx, {
        ...{ id, accountId: api.accountId, userId: user.id, loginKey: id, devicePeerId: null },
        ...{ binding: "service", claimedTokenHash: null, apiTokenId: id, ...times },
      }),
    );
  }
  expect((await api.call("DELETE", `/api/users/${user.id}/tokens/${gone}`)).status).toBe(200);
  const revoked = await store.read((tx) => listRevokedLogins(tx, api.accountId, 3_600));
  expect(revoked.map(({ id }) => id)).toEqual([gone]);
});

test("a user has no more than so many tokens, and more once some are deleted", async () => {
  const { actor, path, tokenId } = await people("user", "self");
  const make = () => api.call("POST", path, { name: "t", expires_in: 1 }, actor.token);
  const statuses: number[] = [];
  for (let i = 0; i < 101; i++) statuses.push((await make()).status);
  expect(statuses.lastIndexOf(200)).toBeLessThan(100);
  expect(statuses.at(-1)).toBe(409);
  await api.call("DELETE", `${path}/${tokenId}`, undefined, actor.token);
  expect((await make()).status).toBe(200);
});
