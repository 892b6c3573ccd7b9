import { beforeEach, expect, test } from "bun:test";
import { TestApi } from "../../../support/admin-api.ts";

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.open();
});

const ids = async (query: string): Promise<number[]> => {
  const { status, body } = await api.call("GET", `/api/events/audit${query}`);
  expect(status).toBe(200);
  return body.map((event: { id: string }) => Number(event.id));
};

test("events come newest first, page back and go on", async () => {
  for (const name of ["a", "b", "c"]) await api.aGroup(name);
  expect(await ids("")).toEqual([4, 3, 2, 1]);
  expect(await ids("?limit=2")).toEqual([4, 3]);
  expect(await ids("?limit=2&before_seq=3")).toEqual([2, 1]);
  expect(await ids("?after_seq=2")).toEqual([3, 4]);
  expect(await ids("?after_seq=4")).toEqual([]);
});

test("an event says who did what to what", async () => {
  const id = await api.aGroup("devs");
  const [event] = (await api.call("GET", "/api/events/audit?limit=1")).body;
  expect(event).toEqual({
    id: "2",
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    activity: "Group add",
    activity_code: "group.add",
    initiator_id: api.ownerId,
    initiator_name: "owner",
    initiator_email: "owner@example.com",
    target_id: id,
    meta: { name: "devs" },
  });
});

test("a question that waits is answered by the next event", async () => {
  const waiting = ids("?after_seq=1&wait_seconds=20");
  await Bun.sleep(20);
  const start = performance.now();
  await api.aGroup("devs");
  expect(await waiting).toEqual([2]);
  expect(performance.now() - start).toBeLessThan(5_000);
});

test("a question that waits is answered empty when nothing happens", async () => {
  expect(await ids("?after_seq=1&wait_seconds=1")).toEqual([]);
});

test.each(["?limit=1001", "?limit=x", "?limit=-1", "?wait_seconds=26", "?receipt=x"])(
  "%s is refused",
  async (query) => {
    expect((await api.call("GET", `/api/events/audit${query}`)).status).toBe(422);
  },
);

test("a parameter given twice is refused", async () => {
  expect((await api.call("GET", "/api/events/audit?limit=1&limit=2")).status).toBe(400);
});
