import { expect, test } from "bun:test";
import { nextSigned, saltOf } from "../../../src/agent/control-link/audit-batches.ts";
import { BatchJournal } from "../../../src/audit/batch-journal.ts";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { eventHash, isBatchOf, isSignedBatch } from "../../../src/log/batch.ts";
import { NO_BATCH } from "../../../src/wire/log-entry.ts";
import { anEvent, aSpool, reopened } from "../../support/spool.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const deviceKey = generateEd25519();
const enrolled = {
  accountId: "d34hgk3f9s8d7f6g5h4j",
  peerId: "p34hgk3f9s8d7f6g5h4j",
  origin: "https://qf.example.com",
  name: "web1",
  domain: "qf.internal",
  address: "100.64.0.1",
};

test("a batch is signed over its events with their salts, and names the one before", async () => {
  const directory = tempFolder();
  const [spool, journal] = [await aSpool(directory), await BatchJournal.open(directory)];
  const signer = { journal, deviceKey, enrolled };
  expect(await nextSigned(spool, signer)).toBeNull();
  await spool.record(anEvent("a"));
  await spool.record(anEvent("b"));
  const first = await nextSigned(spool, signer);
  const { salts = [], ...fields } = first?.batch ?? {};
  const hashes = first?.events.map((event, i) => eventHash(event, salts[i] ?? "")) ?? [];
  expect(isBatchOf(hashes, { hash: first?.batch?.hash ?? "" })).toBe(true);
  const { accountId, peerId, origin } = enrolled;
  const record = { ...fields, peer_id: peerId, management: origin } as Parameters<typeof isSignedBatch>[2];
  expect(isSignedBatch(deviceKey.publicKey, accountId, record)).toBe(true);
  expect(first?.batch?.previous).toBe(NO_BATCH);
  await spool.acknowledge(2);
  await spool.record(anEvent("c"));
  expect((await nextSigned(spool, signer))?.batch?.previous).toBe(first?.batch?.hash ?? "");
});

test("what was signed goes the same after a restart, however much has come since", async () => {
  const directory = tempFolder();
  const spool = await aSpool(directory);
  await spool.record(anEvent("a"));
  const first = await nextSigned(spool, { journal: await BatchJournal.open(directory), deviceKey, enrolled });
  const again = await reopened(spool, directory);
  await again.record(anEvent("b"));
  const journal = await BatchJournal.open(directory);
  expect(await nextSigned(again, { journal, deviceKey, enrolled })).toEqual(first);
});

test("a batch whose events are not those that it was signed over is signed anew", async () => {
  const directory = tempFolder();
  const [spool, journal] = [await aSpool(directory), await BatchJournal.open(directory)];
  await journal.add({
    first_seq: 1,
    last_seq: 1,
    hash: NO_BATCH,
    previous: NO_BATCH,
    signature: "A".repeat(86),
  });
  await spool.record(anEvent("a"));
  const next = await nextSigned(spool, { journal, deviceKey, enrolled });
  expect(next?.batch?.hash).not.toBe(NO_BATCH);
});

test("a salt is the same for the same event, and another for any other, and for another machine", () => {
  const event = { seq: 1, atMs: 1, body: anEvent("a") };
  expect(saltOf(deviceKey, event)).toBe(saltOf(deviceKey, event));
  const others = [
    saltOf(deviceKey, { ...event, seq: 2 }),
    saltOf(deviceKey, { ...event, atMs: 2 }),
    saltOf(deviceKey, { ...event, body: anEvent("b") }),
    saltOf(generateEd25519(), event),
  ];
  expect(new Set([...others, saltOf(deviceKey, event)]).size).toBe(5);
});
