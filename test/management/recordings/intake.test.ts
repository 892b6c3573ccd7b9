import { beforeEach, describe, expect, test } from "bun:test";
import { newId } from "../../../src/base/random.ts";
import { updatePeer } from "../../../src/management/db/tables/peers.ts";
import { deleteRecording, findRecording } from "../../../src/management/db/tables/recordings.ts";
import { MOVE_SECONDS, noteMove } from "../../../src/management/log/moves.ts";
import { createRecordings, type RunningRecordings } from "../../../src/management/recordings/recordings.ts";
import { createFolderStore, type RecordingStore } from "../../../src/management/recordings/store.ts";
import { aManagement, anAccount, ORIGIN, type TestManagement } from "../../support/management.ts";
import {
  aRecordingMachine,
  type RecordingMachine,
  type SignedUpload,
} from "../../support/recording-upload.ts";
import { tempFolder } from "../../support/temp-folder.ts";

let management: TestManagement;
let machine: RecordingMachine;
let store: RecordingStore;
let recordings: RunningRecordings;

beforeEach(async () => {
  management = aManagement();
  machine = await aRecordingMachine(management);
  store = createFolderStore(tempFolder());
  recordings = createRecordings(management, { store });
});

const take = ({ body, signature }: SignedUpload) => recordings.take(body, signature);
const outcome = async (upload: SignedUpload): Promise<[string, number]> => {
  const { next, refusal } = await take(upload);
  return [refusal?.code ?? "stored", next];
};
const row = () => management.store.read((tx) => findRecording(tx, machine.recordingId));
const END = { status: "complete", why: null } as const;

test("chunks are stored in order, and the end with them", async () => {
  expect(await outcome(machine.upload(0, 2))).toEqual(["stored", 2]);
  expect(await outcome(machine.upload(2, 1))).toEqual(["stored", 3]);
  expect(await row()).toMatchObject({ status: "running", nextChunk: 3, endedAt: null });
  expect(await outcome(machine.upload(3, 1, { end: END }))).toEqual(["stored", 4]);
  expect(await row()).toMatchObject({ status: "complete", nextChunk: 4, accountId: machine.peer.accountId });
});

test("a duplicate, a lost and a reordered chunk are refused, each with the one that is wanted", async () => {
  await take(machine.upload(0, 2));
  expect(await outcome(machine.upload(1, 1))).toEqual(["duplicate", 2]);
  expect(await outcome(machine.upload(0, 2))).toEqual(["duplicate", 2]);
  expect(await outcome(machine.upload(3, 1))).toEqual(["gap", 2]);
  await take(machine.upload(2, 1, { end: END }));
  expect(await outcome(machine.upload(3, 1))).toEqual(["over", 3]);
  const sentences = new Set(
    await Promise.all(
      [machine.upload(3, 1), machine.upload(1, 1)].map(async (one) => (await take(one)).refusal?.message),
    ),
  );
  for (const sentence of sentences) expect(sentence).toMatch(/^[^\n.]+$/);
});

test("what is refused for its number or its end writes nothing to the store", async () => {
  const written: string[] = [];
  const put: RecordingStore["put"] = (object, bytes) => {
    written.push(object);
    return store.put(object, bytes);
  };
  const counted = createRecordings(management, { store: { ...store, put } });
  const codeOf = async ({ body, signature }: SignedUpload) =>
    (await counted.take(body, signature)).refusal?.code;
  await codeOf(machine.upload(0, 2));
  expect(await codeOf(machine.upload(1, 1))).toBe("duplicate");
  expect(await codeOf(machine.upload(3, 1))).toBe("gap");
  await codeOf(machine.upload(2, 1, { end: END }));
  expect(await codeOf(machine.upload(3, 1))).toBe("over");
  expect(written).toHaveLength(2);
});

test("of two machines that begin one recording at once only one does", async () => {
  const { accountId } = await anAccount(management.store, "else@example.com");
  const other = await aRecordingMachine(management, { accountId });
  const outcomes = await Promise.all([
    outcome(machine.upload(0, 1)),
    outcome(other.upload(0, 1, { recordingId: machine.recordingId })),
  ]);
  expect(outcomes.map(([code]) => code).sort()).toEqual(["refused", "stored"]);
  expect(await row()).toMatchObject({ nextChunk: 1 });
});

test("two uploads of the same chunk at once store it once", async () => {
  await take(machine.upload(0, 1));
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => outcome(machine.upload(1, 1))));
  expect(outcomes.filter(([code]) => code === "stored")).toHaveLength(1);
  expect((await row())?.nextChunk).toBe(2);
});

describe("nothing is stored of what", () => {
  test.each<{ name: string; make: () => SignedUpload; code: string }>([
    {
      name: "another key has signed",
      make: () => ({ ...machine.upload(0, 1), signature: machine.upload(0, 2).signature }),
      code: "refused",
    },
    {
      name: "was signed for another management",
      make: () => machine.sign(machine.upload(0, 1).body, "https://other.example.com"),
      code: "refused",
    },
    { name: "is not signed", make: () => ({ ...machine.upload(0, 1), signature: "" }), code: "refused" },
    {
      name: "comes from no machine",
      make: () => machine.upload(0, 1, { peerId: newId() }),
      code: "refused",
    },
    {
      name: "is cut short",
      make: () => machine.sign(machine.upload(0, 1).body.slice(0, -1)),
      code: "refused",
    },
    {
      name: "is longer than it says",
      make: () => machine.sign(Buffer.concat([machine.upload(0, 1).body, Buffer.from("x")])),
      code: "refused",
    },
    { name: "is empty", make: () => machine.sign(new Uint8Array(0)), code: "refused" },
    {
      name: "says a length beyond it",
      make: () => machine.sign(Buffer.from("\xff\xff\xff\xff{}")),
      code: "refused",
    },
    { name: "has no head", make: () => machine.upload(0, 1, { head: undefined }), code: "refused" },
    { name: "has no chunk and no end", make: () => machine.upload(0, 0), code: "refused" },
    { name: "begins in the middle", make: () => machine.upload(5, 1), code: "gap" },
    {
      name: "names another session of that connection",
      make: () => machine.upload(0, 1, { head: { ...machine.head, sessionId: 1 } }),
      code: "unreported",
    },
    {
      name: "names another person",
      make: () => machine.upload(0, 1, { head: { ...machine.head, userId: newId() } }),
      code: "unreported",
    },
  ])("$name", async ({ make, code }) => {
    const [got] = await outcome(make());
    expect(got).toBe(code);
    expect(await row()).toBeUndefined();
  });
});

test("a machine that has not followed a move yet goes on, as long as the move is announced", async () => {
  const from = "https://before.example.com";
  const upload = (first: number, origin: string) => machine.sign(machine.upload(first, 1).body, origin);
  expect(await outcome(upload(0, from))).toEqual(["refused", 0]);
  await management.store.transaction((tx) => noteMove(tx, { from, to: ORIGIN }));
  expect(await outcome(upload(0, from))).toEqual(["stored", 1]);
  expect(await outcome(machine.upload(1, 1))).toEqual(["stored", 2]);
  expect(await outcome(upload(2, "https://elsewhere.example.com"))).toEqual(["refused", 0]);
  management.clock.advanceMs(MOVE_SECONDS * 1_000);
  expect(await outcome(upload(2, from))).toEqual(["refused", 0]);
});

test("a machine adds nothing to another machine's recording", async () => {
  await take(machine.upload(0, 1));
  const { accountId } = machine.peer;
  const other = await aRecordingMachine(management, { accountId });
  expect(await outcome(other.upload(1, 1, { recordingId: machine.recordingId }))).toEqual(["refused", 0]);
  const stranger = await aRecordingMachine(management, {
    accountId: (await anAccount(management.store, "else@example.com")).accountId,
  });
  expect(await outcome(stranger.upload(1, 1, { recordingId: machine.recordingId }))).toEqual(["refused", 0]);
});

test("a machine that was blocked uploads the rest of what it had reported, and nothing else", async () => {
  const { accountId, id } = machine.peer;
  await take(machine.upload(0, 1));
  const silent = await aRecordingMachine(management, { accountId, isReported: false });
  await management.store.transaction(async (tx) => {
    for (const peerId of [id, silent.peer.id]) await updatePeer(tx, accountId, peerId, { status: "blocked" });
  });
  expect(await outcome(machine.upload(1, 1, { end: END }))).toEqual(["stored", 2]);
  expect(await outcome(silent.upload(0, 1))).toEqual(["unreported", 0]);
});

test("chunks of a recording that is deleted meanwhile are not acknowledged", async () => {
  await take(machine.upload(0, 1));
  recordings = createRecordings(management, {
    store: {
      ...store,
      async put(object, bytes) {
        await store.put(object, bytes);
        await management.store.transaction((tx) => deleteRecording(tx, machine.recordingId));
      },
    },
  });
  expect(await outcome(machine.upload(1, 4))).toEqual(["gap", 0]);
});

test("a session that was not reported has no recording until it is", async () => {
  const silent = await aRecordingMachine(management, {
    accountId: machine.peer.accountId,
    isReported: false,
  });
  expect(await outcome(silent.upload(0, 1))).toEqual(["unreported", 0]);
});

test("a session counts as reported however many have begun since", async () => {
  await machine.reportOthers(management, 600);
  expect(await outcome(machine.upload(0, 1))).toEqual(["stored", 1]);
});

test("a machine whose share of the day is used up stores nothing more, until there is room again", async () => {
  recordings = createRecordings(management, { store, shareBytes: 100 });
  await take(machine.upload(0, 16));
  expect(await outcome(machine.upload(16, 1))).toEqual(["full", 16]);
  management.clock.advanceMs(40 * 86_400_000);
  expect(await outcome(machine.upload(16, 1))).toEqual(["stored", 17]);
});

test("what the store could not take is not of the machine's share", async () => {
  let isAway = true;
  const flaky: RecordingStore = {
    ...store,
    put: (...args) => (isAway ? Promise.reject(new Error("ENOSPC")) : store.put(...args)),
  };
  recordings = createRecordings(management, { store: flaky, shareBytes: 100 });
  for (let i = 0; i < 3; i++) expect(await outcome(machine.upload(0, 16))).toEqual(["unavailable", 0]);
  isAway = false;
  expect(await outcome(machine.upload(0, 16))).toEqual(["stored", 16]);
  expect(await outcome(machine.upload(16, 1))).toEqual(["full", 16]);
});

test("nothing is acknowledged while the store is away, and it goes on afterwards", async () => {
  let isAway = true;
  const flaky: RecordingStore = {
    ...store,
    put: (...args) => (isAway ? Promise.reject(new Error("ENOSPC")) : store.put(...args)),
  };
  recordings = createRecordings(management, { store: flaky });
  expect(await outcome(machine.upload(0, 1))).toEqual(["unavailable", 0]);
  isAway = false;
  expect(await outcome(machine.upload(0, 1))).toEqual(["stored", 1]);
});
