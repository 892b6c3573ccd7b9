import { expect, test } from "bun:test";
import { consistencyProof, encoded, inclusionProof } from "../../../src/management/log/proofs.ts";
import { aManagement, anAccount } from "../../support/management.ts";

test("what is not in the log has no proof", async () => {
  const management = aManagement();
  const { accountId } = await anAccount(management.store);
  await management.logs.begin(accountId);
  const { store } = management;
  const refused = { code: "ERR_BAD_REQUEST" };
  await expect(store.read((tx) => inclusionProof(tx, accountId, { seq: 2, size: 2 }))).rejects.toMatchObject(
    refused,
  );
  await expect(store.read((tx) => inclusionProof(tx, accountId, { seq: 0, size: 1 }))).rejects.toMatchObject(
    refused,
  );
  await expect(store.read((tx) => consistencyProof(tx, accountId, { from: 1, to: 2 }))).rejects.toMatchObject(
    refused,
  );
  expect(await store.read((tx) => consistencyProof(tx, accountId, { from: 1, to: 1 }))).toEqual([]);
  expect(encoded(Uint8Array.of(0))).toBe("AA==");
});
