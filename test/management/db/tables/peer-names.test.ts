import { expect, test } from "bun:test";
import { listPeersByName } from "../../../../src/management/db/tables/peer-names.ts";
import { aManagement, anAccount, aPeerOf } from "../../../support/management.ts";

test("a peer is found by its name within its account only", async () => {
  const { store } = aManagement();
  const { accountId } = await anAccount(store);
  const other = await anAccount(store, "else@example.com");
  const peer = await aPeerOf(store, accountId, { name: "web1" });
  expect(await store.read((tx) => listPeersByName(tx, accountId, "web1"))).toMatchObject([{ id: peer.id }]);
  expect(await store.read((tx) => listPeersByName(tx, accountId, "web"))).toEqual([]);
  expect(await store.read((tx) => listPeersByName(tx, other.accountId, "web1"))).toEqual([]);
});
