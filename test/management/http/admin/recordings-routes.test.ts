import { beforeEach, expect, test } from "bun:test";
import { createRecordings } from "../../../../src/management/recordings/recordings.ts";
import { createFolderStore } from "../../../../src/management/recordings/store.ts";
import { TestApi } from "../../../support/admin-api.ts";
import { aTokenOf } from "../../../support/management.ts";
import { aRecordingOf } from "../../../support/recording.ts";
import { aRecordingMachine, RecordingMachine } from "../../../support/recording-upload.ts";
import { tempFolder } from "../../../support/temp-folder.ts";

let api: TestApi;
let machine: RecordingMachine;
let person: string;
let path: string;

beforeEach(async () => {
  const folder = tempFolder();
  api = await TestApi.open({}, folder);
  const { management, accountId } = api;
  machine = await aRecordingMachine(management, { accountId });
  const recordings = createRecordings(management, { store: createFolderStore(folder) });
  const { body, signature } = machine.upload(0, 3, { end: { status: "complete", why: null } });
  await recordings.take(body, signature);
  person = await aTokenOf(management.store, { id: machine.head.userId ?? "", accountId });
  path = `/api/recordings/${machine.recordingId}`;
});

const listed = async (token: string, query = ""): Promise<string[]> =>
  (await api.call("GET", `/api/recordings${query}`, undefined, token)).body.map(
    (one: { id: string }) => one.id,
  );

test("a person sees their own recordings, an auditor all, and others none", async () => {
  const other = await aRecordingOf(api.management.store, api.accountId);
  const { token: auditor } = await api.tokenAs("auditor");
  const { token: stranger } = await api.tokenAs("user");
  expect((await listed(auditor)).sort()).toEqual([machine.recordingId, other.id].sort());
  expect(await listed(person)).toEqual([machine.recordingId]);
  expect(await listed(stranger)).toEqual([]);
  expect((await api.call("GET", path, undefined, person)).body).toMatchObject({
    id: machine.recordingId,
    connection_id: machine.head.connectionId,
    session_id: 0,
    status: "complete",
    chunks: 3,
    encrypted: false,
  });
  for (const end of ["", "/chunks"]) {
    expect((await api.call("GET", path + end, undefined, stranger)).status).toBe(404);
  }
});

test("recordings are found by session and machine", async () => {
  const { connectionId } = machine.head;
  const query = `?connection_id=${connectionId}&session_id=`;
  expect(await listed(api.owner, `${query}0`)).toEqual([machine.recordingId]);
  expect(await listed(api.owner, `${query}1`)).toEqual([]);
  expect(await listed(api.owner, `?machine_id=${machine.peer.id}`)).toEqual([machine.recordingId]);
  const { token: stranger } = await api.tokenAs("user");
  expect(await listed(stranger, `${query}0`)).toEqual([]);
});

test("pages go from the newest to the oldest, and nothing of a stranger's is among them or counted", async () => {
  const { store } = api.management;
  const userId = machine.head.userId ?? "";
  const { startedAt: at } = await aRecordingOf(store, api.accountId, { userId });
  // Two of one second, and one that nobody but auditors may see.
  for (const startedAt of [at, at - 5]) await aRecordingOf(store, api.accountId, { userId, startedAt });
  await aRecordingOf(store, api.accountId, { startedAt: at - 1 });
  const found: string[] = [];
  let query = "?limit=1";
  for (let page = 1; query !== ""; page++) {
    const { body, headers } = await api.call("GET", `/api/recordings${query}`, undefined, person);
    expect([body.length, headers.get("x-total-count")]).toEqual([1, "4"]);
    found.push(body[0].started_at);
    const next = /\?([^>]*)>; rel="next"/.exec(headers.get("link") ?? "");
    query = next === null ? "" : `?${next[1]}`;
    expect(page).toBeLessThanOrEqual(4);
  }
  expect(found).toEqual([...found].sort().reverse());
  expect(await listed(person)).toHaveLength(4);
  expect((await api.call("GET", "/api/recordings?cursor=x", undefined, person)).status).toBe(422);
});

test("chunks are read page by page, and reading is an event, once in a while", async () => {
  const before = (await api.activities()).length;
  const { body } = await api.call("GET", `${path}/chunks`, undefined, person);
  const text = body.chunks
    .map(({ data }: { data: string }) => Buffer.from(data, "base64").toString())
    .join("");
  expect(text).toBe([0, 1, 2].map((n) => RecordingMachine.lines(n).toString()).join(""));
  expect(body).toMatchObject({ next: 3, status: "complete", encrypted: false });
  await api.call("GET", `${path}/chunks?from=1`, undefined, person);
  expect((await api.activities()).slice(before)).toEqual(["recording.read"]);
  api.management.clock.advanceMs(601_000);
  await api.call("GET", `${path}/chunks?from=2`, undefined, person);
  await api.call("GET", `${path}/chunks`, undefined, api.owner);
  expect((await api.activities()).slice(before)).toEqual(Array(3).fill("recording.read"));
});

test("an administrator deletes a recording whole; a person and an auditor do not", async () => {
  const { token: auditor } = await api.tokenAs("auditor");
  for (const token of [person, auditor]) {
    expect((await api.call("DELETE", path, undefined, token)).status).toBe(403);
  }
  expect((await api.call("DELETE", path)).status).toBe(200);
  expect((await api.call("GET", `${path}/chunks`)).status).toBe(404);
  expect((await api.activities()).at(-1)).toBe("recording.delete");
});
