import { beforeEach, expect, test } from "bun:test";
import {
  deleteWebSessionsOf,
  deleteWebSessionsOver,
  findWebSession,
  listWebSessions,
  WEB_SESSION_IDLE_SECONDS,
} from "../../../../src/management/db/tables/web-sessions.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aSession } from "../../../support/web-session.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

test("a session is found by its secret, and nothing that is stored is the secret", async () => {
  const { secret, id, user } = await aSession(api);
  const { store } = api.management;
  const found = await store.read((tx) => findWebSession(tx, { secret }));
  expect([found?.session.id, found?.user.id]).toEqual([id, user.id]);
  expect(JSON.stringify(found)).not.toContain(secret);
  expect(await store.read((tx) => findWebSession(tx, { secret: `${secret}x` }))).toBeUndefined();
});

test("one that nobody used for an hour is over, and forgotten", async () => {
  const idle = await aSession(api);
  const { store, clock } = api.management;
  clock.advanceMs(WEB_SESSION_IDLE_SECONDS * 1000);
  const fresh = await aSession(api, "admin", idle.user);
  await store.transaction(deleteWebSessionsOver);
  const left = await store.read((tx) => listWebSessions(tx, api.accountId, idle.user.id));
  expect(left.map(({ id }) => id)).toEqual([fresh.id]);
});

test("all of a person end but the one that is left out, and nobody else's", async () => {
  const one = await aSession(api);
  await aSession(api, "admin", one.user);
  const other = await aSession(api, "user");
  const { store } = api.management;
  expect(await store.transaction((tx) => deleteWebSessionsOf(tx, one.user.id, one.id))).toBe(1);
  expect(await store.read((tx) => findWebSession(tx, { id: one.id }))).toBeDefined();
  expect(await store.read((tx) => findWebSession(tx, { id: other.id }))).toBeDefined();
});
