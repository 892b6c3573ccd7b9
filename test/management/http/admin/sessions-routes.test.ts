/** Lists of SSH sessions: states, filters, pages. */
import { beforeEach, expect, test } from "bun:test";
import { newId } from "../../../../src/base/random.ts";
import { idsOf, SessionApi } from "../../../support/session-api.ts";

let on: SessionApi;
beforeEach(async () => {
  on = await SessionApi.open();
});

test("states: reported, ended, begun just now, and without an end that anybody knows", async () => {
  const reportedOnly = newId();
  on.live.push(on.reported(on.web, reportedOnly, on.api.ownerId, 5));
  const justBegun = await on.begin(on.web, on.api.ownerId, { agoMs: 2_000 });
  const isLive = await on.beginLive(on.web, on.api.ownerId, { agoMs: 50_000 });
  const lost = await on.begin(on.web, on.api.ownerId, { agoMs: 70_000 });
  const ended = await on.beginLive(on.web, on.api.ownerId, { agoMs: 80_000 });
  await on.close(on.web, ended);
  expect((await on.list()).map(({ id, state }) => [id, state])).toEqual([
    [justBegun, "live"],
    [reportedOnly, "live"],
    [isLive, "live"],
    [lost, "unknown"],
    [ended, "ended"],
  ]);
  expect(idsOf(await on.list("?state=live"))).toEqual([justBegun, reportedOnly, isLive]);
  expect(idsOf(await on.list("?state=unknown"))).toEqual([lost]);
  expect(idsOf(await on.list("?state=ended"))).toEqual([ended]);
  on.offline.add(on.web.id);
  expect(idsOf(await on.list("?state=unknown"))).toEqual([justBegun, lost]);
});

test("a live one says what runs in it and is forwarded; an ended one how much went through it", async () => {
  const id = await on.beginLive(on.web, on.api.ownerId);
  expect((await on.list())[0]).toMatchObject({
    ...{ id, state: "live", machine: "web1", local_user: "deploy", path: "direct", reason: "ticket 12" },
    ...{ running: ["<interactive shell>"], forwards: ["-L 8080"], bytes_in: null, may_end: true },
  });
  await on.close(on.web, id);
  expect((await on.list())[0]).toMatchObject({
    ...{ state: "ended", running: [], forwards: [], bytes_in: 10, bytes_out: 2_000, may_end: false },
  });
});

test("each filter finds what it names and nothing beside it", async () => {
  const ada = await on.api.tokenAs("user");
  const a = await on.begin(on.web, ada.id, { agoMs: 3 * 3_600_000, localUser: "deploy" });
  await on.close(on.web, a, { agoMs: 2 * 3_600_000 });
  const b = await on.beginLive(on.db, on.api.ownerId, { agoMs: 3_600_000, localUser: "root" });
  const at = (agoHours: number): string =>
    new Date(on.api.management.clock.nowMs() - agoHours * 3_600_000).toISOString();
  for (const [query, want] of [
    [`user=${ada.id}`, [a]],
    [`user=${encodeURIComponent("owner@example.com")}`, [b]],
    ["user=nobody", []],
    ["machine=web1", [a]],
    [`machine=${on.db.id}`, [b]],
    ["machine=web", []],
    ["local_user=root", [b]],
    ["local_user=roo", []],
    [`since=${at(1.5)}`, [b]],
    [`since=${at(2.5)}`, [b, a]],
    [`until=${at(2.5)}`, [a]],
    [`since=${at(1.5)}&until=${at(1.2)}`, []],
    [`user=${ada.id}&machine=db1`, []],
  ] as const) {
    const { body, headers } = await on.api.call("GET", `/api/sessions?${query}`);
    expect([query, idsOf(body)]).toEqual([query, [...want]]);
    expect([query, headers.get("x-total-count")]).toEqual([query, String(want.length)]);
  }
  for (const query of ["state=open", "cursor=x", "since=yesterday", "limit=0"]) {
    expect([query, (await on.api.call("GET", `/api/sessions?${query}`)).status]).toEqual([query, 422]);
  }
});

test("a plain user's filter by somebody else finds nothing, by themselves their own", async () => {
  const me = await on.api.tokenAs("user");
  const mine = await on.beginLive(on.web, me.id);
  await on.beginLive(on.web, on.api.ownerId);
  await on.beginLive(on.web, null);
  expect(await on.list(`?user=${on.api.ownerId}`, me.token)).toEqual([]);
  expect(await on.list("?user=Ada", me.token)).toEqual([]);
  expect(idsOf(await on.list(`?user=${me.id}`, me.token))).toEqual([mine]);
});

test("pages give each session once, those that are only reported among them", async () => {
  const all: string[] = [];
  for (let i = 0; i < 5; i++)
    all.push(await on.begin(on.web, on.api.ownerId, { agoMs: 100_000 + i * 10_000 }));
  const onlyReported = newId();
  on.live.push(on.reported(on.db, onlyReported, on.api.ownerId, 125));
  const want = [...all.slice(0, 3), onlyReported, ...all.slice(3)];
  const seen: string[] = [];
  let path: string | undefined = "/api/sessions?limit=2";
  while (path !== undefined) {
    const { body, headers } = await on.api.call("GET", path);
    seen.push(...idsOf(body));
    expect(headers.get("x-total-count")).toBe("6");
    const next = /<([^>]+)>/.exec(headers.get("link") ?? "")?.[1];
    path = next === undefined ? undefined : new URL(next).pathname + new URL(next).search;
  }
  expect(seen).toEqual(want);
});

test("a client's name for itself is stored whatever is in it", async () => {
  const id = await on.begin(on.web, on.api.ownerId, { clientVersion: "a\u0000b\ud800c" });
  expect((await on.api.call("GET", `/api/sessions/${id}`)).body.client_version).toBe("a b\ufffdc");
});
