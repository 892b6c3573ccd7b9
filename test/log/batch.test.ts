import { expect, test } from "bun:test";
import { generateEd25519 } from "../../src/base/ed25519.ts";
import { batchHash, eventHash, isSignedBatch, signBatch } from "../../src/log/batch.ts";
import { asStored, canonicalJson } from "../../src/log/canonical-json.ts";
import { leafHash } from "../../src/log/tree-hash.ts";
import type { AgentEvent } from "../../src/wire/audit-event.ts";
import { NO_BATCH } from "../../src/wire/log-entry.ts";

const key = generateEd25519();
const accountId = "d34hgk3f9s8d7f6g5h4j";
const salt = Buffer.alloc(16, 1).toString("base64url");
const event: AgentEvent = {
  seq: 5,
  atMs: 1000,
  body: { type: "agent.state", what: "started", detail: "boot" },
};
const fields = {
  peer_id: "p34hgk3f9s8d7f6g5h4j",
  management: "https://qf.example.com",
  first_seq: 5,
  last_seq: 5,
  hash: batchHash([eventHash(event, salt)]),
  previous: NO_BATCH,
};
const signature = signBatch(key, accountId, fields);

test("a batch that its machine has signed is proven", () => {
  expect(isSignedBatch(key.publicKey, accountId, { ...fields, signature })).toBe(true);
});

test.each([
  ["the machine", { peer_id: "q34hgk3f9s8d7f6g5h4j" }],
  ["management", { management: "https://qf.example.org" }],
  ["the first number", { first_seq: 4 }],
  ["the last number", { last_seq: 6 }],
  ["the hash", { hash: NO_BATCH }],
  ["the hash of the batch before", { previous: fields.hash }],
])("with %s changed it is not", (_, change) => {
  expect(isSignedBatch(key.publicKey, accountId, { ...fields, ...change, signature })).toBe(false);
});

test("of another account, or by another key, it is not", () => {
  expect(isSignedBatch(key.publicKey, "e34hgk3f9s8d7f6g5h4j", { ...fields, signature })).toBe(false);
  expect(isSignedBatch(generateEd25519().publicKey, accountId, { ...fields, signature })).toBe(false);
});

test.each([
  ["number", { ...event, seq: 6 }, salt],
  ["time", { ...event, atMs: 1001 }, salt],
  ["body", { ...event, body: { ...event.body, detail: "boot2" } as AgentEvent["body"] }, salt],
  ["salt", event, Buffer.alloc(16, 2).toString("base64url")],
])("an event with another %s has another hash", (_, other, otherSalt) => {
  expect(eventHash(other, otherSalt).equals(eventHash(event, salt))).toBe(false);
});

test.each([
  ["a plain text", "boot"],
  ["quotes and line ends", '"}\n,"salt":"x'],
  ["half a character", "a\ud800b"],
])("the hash of an event with %s is that of its whole canonical JSON", (_, detail) => {
  const { seq, atMs, body } = { ...event, body: { ...event.body, detail } as AgentEvent["body"] };
  const text = canonicalJson(asStored({ seq, atMs, body, salt }));
  expect(eventHash({ seq, atMs, body }, salt).equals(leafHash(text))).toBe(true);
});
