/** Sessions ended by hand: what is recorded, told and refused. */
import { beforeEach, expect, test } from "bun:test";
import { newId } from "../../../../src/base/random.ts";
import { SessionApi } from "../../../support/session-api.ts";

let on: SessionApi;
beforeEach(async () => {
  on = await SessionApi.open();
});

test("an end is recorded with who and why, and the person is told both", async () => {
  const { id: userId } = await on.api.tokenAs("user");
  const id = await on.beginLive(on.web, userId);
  const { status, body } = await on.api.call("POST", `/api/sessions/${id}/kill`, {
    reason: "Wartung heißt Pause",
  });
  expect([status, body.state, body.end_reason, body.may_end]).toEqual([
    200,
    "ended",
    "session_killed",
    false,
  ]);
  expect(on.ordered[0]?.[2]).toEndWith(" ended this session: Wartung heißt Pause");
  expect(await on.api.activities()).toContain("ssh.session.kill");
  const detail = (await on.api.call("GET", `/api/sessions/${id}`)).body;
  expect(detail.ended_by).toMatchObject({ id: on.api.ownerId, reason: "Wartung heißt Pause" });
});

test.each([
  ["two lines", "one\ntwo"],
  ["a control character", "\u001b[2J"],
  ["a direction mark", "abc\u202edef"],
  ["nothing", ""],
  ["a space at its end", "maintenance "],
  ["more than fits", "x".repeat(161)],
])("a reason of %s is refused, and nothing ends", async (_, reason) => {
  const id = await on.beginLive(on.web, on.api.ownerId);
  expect((await on.kill(id, { reason })).status).toBe(422);
  expect(on.ordered).toEqual([]);
});

test("the longest name and reason fit into what a machine takes", async () => {
  const { id: userId } = await on.api.tokenAs("user");
  const id = await on.beginLive(on.web, userId);
  await on.kill(id, { reason: "x".repeat(160) });
  expect(on.ordered[0]?.[2].length).toBeLessThanOrEqual(256);
});

test("what has ended, is of a machine that is away, or is nobody's, cannot be ended", async () => {
  const ended = await on.begin(on.web, on.api.ownerId);
  await on.close(on.web, ended);
  const away = await on.beginLive(on.db, on.api.ownerId);
  on.offline.add(on.db.id);
  for (const [id, status] of [
    [ended, 409],
    [away, 409],
    [newId(), 404],
    ["no-id", 404],
  ] as const) {
    expect([id, (await on.kill(id, {})).status]).toEqual([id, status]);
  }
  expect([on.ordered, (await on.api.activities()).includes("ssh.session.kill")]).toEqual([[], false]);
});
