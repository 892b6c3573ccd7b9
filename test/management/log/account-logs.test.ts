import { expect, test } from "bun:test";
import { newId } from "../../../src/base/random.ts";
import { openCheckpoint, readNote } from "../../../src/log/checkpoint.ts";
import { isConsistent, isIncluded } from "../../../src/log/proofs.ts";
import { leafHash, treeHash } from "../../../src/log/tree-hash.ts";
import {
  appendEvents,
  listEventRange,
  systemInitiator,
} from "../../../src/management/db/tables/audit-events.ts";
import { leafOf } from "../../../src/management/db/tables/log-leaf.ts";
import { catchUp, findHead, tailOf } from "../../../src/management/db/tables/log-tree.ts";
import { createAccountLogs } from "../../../src/management/log/account-logs.ts";
import { consistencyProof, inclusionProof } from "../../../src/management/log/proofs.ts";
import { aManagement, anAccount, aPeerOf, ORIGIN, type TestManagement } from "../../support/management.ts";

/** Appends `count` events in one transaction. */
const append = ({ store }: TestManagement, accountId: string, count: number) =>
  store.transaction((tx) =>
    appendEvents(
      tx,
      accountId,
      systemInitiator,
      Array.from({ length: count }, (_, i) => ({
        activity: "agent.state" as const,
        targetId: newId(),
        meta: { i: String(i), odd: "a\ud800b" },
        data: { f: 0.1, big: 1e30, list: [null, true, "\u0001"] },
      })),
    ),
  );

const leavesOf = async ({ store }: TestManagement, accountId: string, size: number) =>
  (await store.read((tx) => listEventRange(tx, accountId, 1, size))).map((row) => leafHash(leafOf(row)));

const bytes = (hashes: readonly string[]) => hashes.map((hash) => Buffer.from(hash, "base64"));

test("the tree of a checkpoint is that of the events as they are read back", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  await management.logs.begin(accountId);
  for (const count of [1, 2, 31, 32, 33, 100, 1]) await append(management, accountId, count);
  const { note, size } = await management.logs.checkpoint(accountId);
  const opened = openCheckpoint(note, await management.logs.keys(accountId));
  expect(opened?.origin).toBe(`${new URL(ORIGIN).host}/qufabric/${accountId}`);
  expect(opened?.size).toBe(size);
  const leaves = await leavesOf(management, accountId, size);
  expect(leaves).toHaveLength(size);
  expect(Buffer.from(opened?.root ?? [])).toEqual(Buffer.from(treeHash(leaves)));
});

test("proofs of every event and from every size hold", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  await management.logs.begin(accountId);
  await append(management, accountId, 40);
  const { size } = await management.logs.checkpoint(accountId);
  const leaves = await leavesOf(management, accountId, size);
  const head = (of: number) => ({ size: of, root: treeHash(leaves.slice(0, of)) });
  for (let seq = 1; seq <= size; seq++) {
    const { leaf, proof } = await management.store.read((tx) => inclusionProof(tx, accountId, { seq, size }));
    expect(leaf).toBe((leaves[seq - 1] as Buffer).toString("base64"));
    expect(isIncluded(leaves[seq - 1] as Buffer, seq - 1, bytes(proof), head(size))).toBe(true);
    const from = await management.store.read((tx) =>
      consistencyProof(tx, accountId, { from: seq, to: size }),
    );
    expect(isConsistent(head(seq), head(size), bytes(from))).toBe(true);
  }
});

test("a log that was there before is taken in, with the keys of its peers, and goes on the same", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  await append(management, accountId, 50);
  const peer = await aPeerOf(management.store, accountId);
  await management.logs.begin(accountId);
  const rows = await management.store.read((tx) => listEventRange(tx, accountId, 1, 1000));
  expect(rows.at(-1)).toMatchObject({
    activity: "peer.key",
    targetId: peer.id,
    data: { device_key: peer.deviceKey },
  });
  const { note, size } = await management.logs.checkpoint(accountId);
  expect(size).toBe(rows.length);
  expect(Buffer.from(readNote(note)?.root ?? [])).toEqual(
    Buffer.from(treeHash(rows.map((row) => leafHash(leafOf(row))))),
  );
});

test("a peer that comes after has its key in the log", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  await management.logs.begin(accountId);
  const peer = await aPeerOf(management.store, accountId);
  const rows = await management.store.read((tx) => listEventRange(tx, accountId, 1, 1000));
  expect(rows.at(-1)).toMatchObject({ activity: "peer.key", targetId: peer.id });
});

test("a tree that lags, as one that an older process has not fed, catches up with the next event", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  await management.logs.begin(accountId);
  const before = await management.store.read((tx) => findHead(tx, accountId));
  await append(management, accountId, 5);
  // As an older process leaves it: events, and the tree as it was.
  await management.store.transaction(async (tx) => {
    if (before !== undefined) await tx.sql.update(tx.t.logHeads).set(before);
  });
  await append(management, accountId, 1);
  const head = await management.store.read((tx) => findHead(tx, accountId));
  const leaves = await leavesOf(management, accountId, 1000);
  expect(head?.size).toBe(leaves.length);
  expect(head && Buffer.from(tailOf(head).root())).toEqual(Buffer.from(treeHash(leaves)));
  expect(await management.store.transaction((tx) => catchUp(tx, accountId))).toBe(false);
});

test("there is one note for each size, whoever asks for it, and a new one once the log has grown", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  const other = createAccountLogs({ ...management, masterKey: new Uint8Array(32).fill(7) });
  const notes = await Promise.all(
    [management.logs, other, management.logs].map((logs) => logs.checkpoint(accountId)),
  );
  expect(new Set(notes.map(({ note }) => note)).size).toBe(1);
  await append(management, accountId, 1);
  expect((await other.checkpoint(accountId)).size).toBe((notes[0]?.size ?? 0) + 1);
  expect((await management.logs.newest(accountId))?.size).toBe((notes[0]?.size ?? 0) + 1);
});

test("an event that is rolled back is in no tree", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  await management.logs.begin(accountId);
  const before = await management.store.read((tx) => findHead(tx, accountId));
  const failed = management.store.change(
    { accountId, initiator: systemInitiator, events: [{ activity: "login", targetId: "" }] },
    async (tx) => {
      await appendEvents(tx, accountId, systemInitiator, [{ activity: "login", targetId: "" }]);
      throw new Error("not this");
    },
  );
  await failed.catch(() => {});
  expect(await management.store.read((tx) => findHead(tx, accountId))).toEqual(before);
});

test("the origin stays when management moves", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  const { note } = await management.logs.checkpoint(accountId);
  const moved = createAccountLogs({
    ...management,
    origin: "https://elsewhere.example.com",
    masterKey: new Uint8Array(32).fill(7),
  });
  await append(management, accountId, 1);
  expect(readNote((await moved.checkpoint(accountId)).note)?.origin).toBe(readNote(note)?.origin);
});

test("an account that is not there has no log", async () => {
  const management = aManagement();
  await expect(management.logs.checkpoint(newId())).rejects.toMatchObject({ code: "ERR_NOT_FOUND" });
});
