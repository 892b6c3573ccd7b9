import { expect, test } from "bun:test";
import { LogEntry, PrunedEntry, Salt, SignedBatch, TreeHash } from "../../src/wire/log-entry.ts";

const entry = {
  seq: 1,
  at_ms: 1,
  stored_at_ms: 2,
  activity_code: "agent.state",
  initiator_id: "sys",
  initiator_name: "system",
  initiator_email: "",
  target_id: "",
  meta: {},
  salt: "A".repeat(22),
};

test("an entry of a newer management is read, whatever else it says", () => {
  expect(LogEntry.safeParse({ ...entry, activity_code: "of.tomorrow", more: 1 }).success).toBe(true);
});

test.each([
  ["number 0", { seq: 0 }],
  ["no number", { seq: undefined }],
  ["half a number", { seq: 1.5 }],
  ["a salt of another length", { salt: "A".repeat(21) }],
  ["no salt", { salt: undefined }],
  ["facts that are no text", { meta: { a: 1 } }],
  ["a machine without a number", { agent: { peer_id: "p34hgk3f9s8d7f6g5h4j" } }],
])("an entry with %s is none", (_, change) => {
  expect(LogEntry.safeParse({ ...entry, ...change }).success).toBe(false);
});

test("a pruned entry has a number and a hash, and nothing else", () => {
  const hash = Buffer.alloc(32).toString("base64");
  expect(PrunedEntry.safeParse({ seq: 1, hash }).success).toBe(true);
  expect(PrunedEntry.safeParse({ seq: 1, hash, salt: entry.salt }).success).toBe(false);
  expect(TreeHash.safeParse(hash.slice(1)).success).toBe(false);
});

test("a batch has a salt for each event, at least one", () => {
  const batch = {
    first_seq: 1,
    last_seq: 1,
    hash: "A".repeat(43),
    previous: "A".repeat(43),
    signature: "A".repeat(86),
  };
  expect(SignedBatch.safeParse({ ...batch, salts: [entry.salt] }).success).toBe(true);
  expect(SignedBatch.safeParse({ ...batch, salts: [] }).success).toBe(false);
  expect(SignedBatch.safeParse({ ...batch, salts: [entry.salt], more: 1 }).success).toBe(false);
  expect(Salt.safeParse("").success).toBe(false);
});
