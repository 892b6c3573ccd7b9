/** SSH sessions by caller: who sees and ends which, each grant beside its nearest denial. */
import { beforeEach, expect, test } from "bun:test";
import { newId } from "../../../../src/base/random.ts";
import { insertAccessRequest } from "../../../../src/management/db/tables/access-requests.ts";
import type { Role } from "../../../../src/wire/admin-api.ts";
import { anAccessRequest } from "../../../support/access-request.ts";
import { anAccount, aPeerOf } from "../../../support/management.ts";
import { idsOf, SessionApi } from "../../../support/session-api.ts";

let on: SessionApi;
beforeEach(async () => {
  on = await SessionApi.open();
});

test.each<[role: Role, seesOthers: boolean, killsOthers: number]>([
  ["owner", true, 200],
  ["admin", true, 200],
  ["network_admin", true, 403],
  ["auditor", true, 403],
  ["billing_admin", false, 404],
  ["user", false, 404],
])(
  "a %s sees and ends what is theirs, and of others what the role allows",
  async (role, seesOthers, killed) => {
    const me = await on.api.tokenAs(role);
    const other = await on.api.tokenAs("user");
    const mine = await on.beginLive(on.web, me.id);
    const theirs = await on.beginLive(on.db, other.id);
    const machines = await on.beginLive(on.db, null);
    const seen = await on.list("", me.token);
    expect(new Set(idsOf(seen))).toEqual(new Set(seesOthers ? [mine, theirs, machines] : [mine]));
    const total = (await on.api.call("GET", "/api/sessions", undefined, me.token)).headers.get(
      "x-total-count",
    );
    expect(total).toBe(String(seen.length));
    expect(seen.map(({ id, may_end }) => [id, may_end])).toEqual(
      seen.map(({ id }) => [id, id === mine || killed === 200]),
    );
    for (const id of [theirs, machines]) {
      const shown = await on.api.call("GET", `/api/sessions/${id}`, undefined, me.token);
      expect(shown.status).toBe(seesOthers ? 200 : 404);
      expect((await on.kill(id, {}, me.token)).status).toBe(killed);
    }
    expect(on.ordered.map(([, id]) => id)).toEqual(killed === 200 ? [theirs, machines] : []);
    expect((await on.api.call("GET", `/api/sessions/${mine}`, undefined, me.token)).status).toBe(200);
    const own = await on.kill(mine, {}, me.token);
    expect([own.status, own.body.state]).toEqual([200, "ended"]);
    expect(on.ordered.at(-1)).toEqual([on.web.id, mine, "you ended this session"]);
  },
);

test("a machine that reports another's connection as its own gives nobody power over that one", async () => {
  const mallory = await on.api.tokenAs("user");
  const victim = await on.beginLive(on.web, on.api.ownerId);
  on.live.push(on.reported(on.db, victim, mallory.id));
  expect((await on.list("", mallory.token)).map(({ id, machine }) => [id, machine])).toEqual([
    [victim, "db1"],
  ]);
  await on.kill(victim, {}, mallory.token);
  expect(on.ordered.map(([peerId]) => peerId)).toEqual([on.db.id]);
});

test("another account's sessions are not there", async () => {
  const id = await on.beginLive(on.web, on.api.ownerId);
  const other = await anAccount(on.api.management.store, "else@example.com");
  on.live.splice(0);
  expect(await on.list("", other.token)).toEqual([]);
  expect((await on.api.call("GET", `/api/sessions/${id}`, undefined, other.token)).status).toBe(404);
});

test("who approved it is told: an approval of that person, device, machine, user, rule and time", async () => {
  const { api, web, db } = on;
  const { id: userId } = await api.tokenAs("user");
  const device = await aPeerOf(api.management.store, api.accountId, { name: "laptop" });
  const opened = { devicePeerId: device.id, ruleId: newId(), localUser: "deploy", agoMs: 600_000 };
  const atSeconds = Math.floor(api.management.clock.nowMs() / 1000) - 600;
  const approval = anAccessRequest({
    ...{ accountId: api.accountId, userId, kind: "machine", state: "ended", machinePeerId: web.id },
    ...{ devicePeerId: device.id, localUser: "deploy", ruleId: opened.ruleId, decidedBy: api.ownerId },
    ...{ decidedAt: atSeconds - 60, endsAt: atSeconds + 300 },
  });
  await api.management.store.transaction((tx) => insertAccessRequest(tx, approval));
  const approverOf = async (id: string) => (await api.call("GET", `/api/sessions/${id}`)).body.approved_by;
  expect(await approverOf(await on.begin(web, userId, opened))).toMatchObject({ id: api.ownerId });
  for (const [peer, change] of [
    [db, {}],
    [web, { localUser: "root" }],
    [web, { ruleId: newId() }],
    [web, { agoMs: 100_000 }],
    [web, { agoMs: 900_000 }],
    [web, { devicePeerId: db.id }],
  ] as const) {
    expect(await approverOf(await on.begin(peer, userId, { ...opened, ...change }))).toBeNull();
  }
  expect(await approverOf(await on.begin(web, api.ownerId, opened))).toBeNull();
});

test.each([
  ["after the session began: that one approved it", 1, true],
  ["as the session began: it approved nothing", 0, false],
  ["before the session began", -30, false],
])("an approval that was ended by hand %s", async (_, endedAfter, isTold) => {
  const { api, web } = on;
  const { id: userId } = await api.tokenAs("user");
  const device = await aPeerOf(api.management.store, api.accountId, { name: "laptop" });
  const opened = { devicePeerId: device.id, ruleId: newId(), localUser: "deploy", agoMs: 600_000 };
  const atSeconds = Math.floor((api.management.clock.nowMs() - opened.agoMs) / 1000);
  const approval = anAccessRequest({
    ...{ accountId: api.accountId, userId, kind: "machine", state: "ended", machinePeerId: web.id },
    ...{ devicePeerId: device.id, localUser: "deploy", ruleId: opened.ruleId, decidedBy: api.ownerId },
    ...{ decidedAt: atSeconds - 60, endsAt: atSeconds + 300, endedAt: atSeconds + endedAfter },
  });
  await api.management.store.transaction((tx) => insertAccessRequest(tx, approval));
  const session = await api.call("GET", `/api/sessions/${await on.begin(web, userId, opened)}`);
  expect(session.body.approved_by?.id === api.ownerId).toBe(isTold);
});
