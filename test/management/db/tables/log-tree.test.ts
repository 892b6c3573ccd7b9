import { expect, test } from "bun:test";
import { leafHash, treeHash } from "../../../../src/log/tree-hash.ts";
import {
  appendEvents,
  listEventRange,
  systemInitiator,
} from "../../../../src/management/db/tables/audit-events.ts";
import { leafOf } from "../../../../src/management/db/tables/log-leaf.ts";
import {
  findHead,
  insertHead,
  leafHashes,
  rangeHashes,
  subtreeHashes,
  tailOf,
} from "../../../../src/management/db/tables/log-tree.ts";
import { aManagement, anAccount } from "../../../support/management.ts";

test("hashes of leaves, subtrees and ranges come from tiles and tail alike", async () => {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  await store.transaction((tx) => insertHead(tx, accountId, "origin"));
  const events = Array.from({ length: 200 }, () => ({ activity: "login" as const, targetId: "" }));
  await store.transaction((tx) => appendEvents(tx, accountId, systemInitiator, events));
  const rows = await store.read((tx) => listEventRange(tx, accountId, 1, 1000));
  const leaves = rows.map((row) => leafHash(leafOf(row)));
  await store.read(async (tx) => {
    const head = await findHead(tx, accountId);
    if (head === undefined) throw new Error("no head");
    const text = (hashes: readonly Uint8Array[]) => hashes.map((hash) => Buffer.from(hash).toString("hex"));
    expect(head.size).toBe(201);
    expect(text([tailOf(head).root()])).toEqual(text([treeHash(leaves)]));
    expect(text(await leafHashes(tx, head, 30, 199))).toEqual(text(leaves.slice(29, 199)));
    expect(
      text(
        await rangeHashes(tx, head, [
          { from: 0, to: 128 },
          { from: 128, to: 201 },
        ]),
      ),
    ).toEqual(text([treeHash(leaves.slice(0, 128)), treeHash(leaves.slice(128))]));
    expect(await subtreeHashes(tx, head, { from: 0, to: 7 })).toHaveLength(3);
  });
});

test("an account whose log has not begun has no tree, and its events are stored all the same", async () => {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  expect(await store.read((tx) => findHead(tx, accountId))).toBeUndefined();
});
