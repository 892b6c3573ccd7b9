import { beforeEach, expect, test } from "bun:test";
import { TestApi } from "../../../support/admin-api.ts";
import { aSession, fromPage } from "../../../support/web-session.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

test("people list their own sessions, and end them; the browser forgets the one it came by", async () => {
  const first = await aSession(api);
  const other = await aSession(api, "admin", first.user);
  const list = await api.send("GET", "/api/web-sessions", fromPage(first.secret));
  expect(list.body.map((one: { id: string; current: boolean }) => [one.id, one.current])).toEqual(
    expect.arrayContaining([
      [first.id, true],
      [other.id, false],
    ]),
  );
  const ended = await api.send("DELETE", `/api/web-sessions/${other.id}`, fromPage(first.secret));
  expect([ended.status, ended.headers.get("set-cookie")]).toEqual([200, null]);
  expect((await api.send("GET", "/api/users/current", fromPage(other.secret))).status).toBe(401);
  const out = await api.send("DELETE", "/api/web-sessions/current", fromPage(first.secret));
  expect(out.headers.get("set-cookie")).toContain("Max-Age=0");
  expect(out.headers.get("clear-site-data")).toContain("storage");
  expect((await api.send("GET", "/api/users/current", fromPage(first.secret))).status).toBe(401);
});

test("nobody ends a session of another", async () => {
  const mine = await aSession(api, "owner");
  const theirs = await aSession(api, "user");
  const answer = await api.send("DELETE", `/api/web-sessions/${theirs.id}`, fromPage(mine.secret));
  expect(answer.status).toBe(404);
  expect((await api.send("GET", "/api/users/current", fromPage(theirs.secret))).status).toBe(200);
});
