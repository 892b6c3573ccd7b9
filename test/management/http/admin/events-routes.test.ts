import { beforeEach, expect, test } from "bun:test";
import { TestApi } from "../../../support/admin-api.ts";
import { aPeerOf } from "../../../support/management.ts";

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

test("events are found by person, activity and time, all at once", async () => {
  const { clock } = api.management;
  await api.aGroup("a");
  const other = await api.tokenAs("admin");
  clock.advanceMs(60_000);
  const since = new Date(clock.nowMs()).toISOString();
  await api.call("POST", "/api/groups", { name: "b" }, other.token);
  await api.aGroup("c");
  const all = (await ids("")) as [number, number, number];
  expect(await ids(`?user=${other.id}`)).toEqual([all[1]]);
  expect(await ids(`?user=owner@example.com&since=${since}`)).toEqual([all[0]]);
  expect(await ids(`?activity=group.add&until=${since}`)).toEqual([all[2]]);
  expect(await ids("?activity=group.*&limit=2")).toEqual([all[0], all[1]]);
  expect(await ids("?activity=grou.*")).toEqual([]);
  expect(await ids(`?user=nobody&activity=group.add`)).toEqual([]);
});

test("events of a machine are found by its name and by its id, also when it is gone", async () => {
  const peer = await aPeerOf(api.management.store, api.accountId, { name: "web1" });
  await api.aGroup("a");
  await api.call("DELETE", `/api/peers/${peer.id}`);
  const last = await ids("?limit=1");
  expect(await ids(`?machine=${peer.id}`)).toEqual(last);
  expect(await ids("?machine=web1")).toEqual([]);
  const other = await aPeerOf(api.management.store, api.accountId, { name: "web2" });
  await api.call("PUT", `/api/peers/${other.id}`, {
    name: "web2",
    ssh_enabled: false,
    login_expiration_enabled: false,
    inactivity_expiration_enabled: false,
  });
  expect((await ids("?machine=web2")).length).toBeGreaterThan(0);
});

const seenAfter = async (query: string): Promise<[number[], string | null]> => {
  const { status, body, headers } = await api.call("GET", `/api/events/audit${query}`);
  expect(status).toBe(200);
  return [body.map(({ id }: { id: string }) => Number(id)), headers.get("x-seen-seq")];
};

test("a reader that follows is told where to go on, past events that its filter leaves out", async () => {
  for (const name of ["a", "b", "c"]) await api.aGroup(name);
  expect(await seenAfter("")).toEqual([[4, 3, 2, 1], "4"]);
  expect(await seenAfter("?activity=x.y")).toEqual([[], "4"]);
  expect(await seenAfter("?after_seq=1&activity=x.y")).toEqual([[], "4"]);
  // Not past what is left for the next page.
  expect(await seenAfter("?after_seq=1&limit=2")).toEqual([[2, 3], "3"]);
  expect(await seenAfter("?after_seq=2&limit=2")).toEqual([[3, 4], "4"]);
  // Never back.
  expect(await seenAfter("?after_seq=9")).toEqual([[], "9"]);
  expect(await seenAfter("?before_seq=3")).toEqual([[2, 1], null]);
});

test("a question that waits tells it as well, and its answer begins behind what was looked at", async () => {
  await api.aGroup("a");
  const waiting = seenAfter("?after_seq=0&activity=peer.*&wait_seconds=1");
  await api.aGroup("b");
  expect(await waiting).toEqual([[], "3"]);
});

test.each(["?activity=x%25", "?since=yesterday", "?user="])("the filter %s is refused", async (query) => {
  expect((await api.call("GET", `/api/events/audit${query}`)).status).toBe(422);
});
