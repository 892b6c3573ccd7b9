import { expect, test } from "bun:test";
import { leafOf } from "../../../../src/management/db/tables/log-leaf.ts";
import { LogEntry } from "../../../../src/wire/log-entry.ts";

const row = {
  id: "e34hgk3f9s8d7f6g5h4j",
  accountId: "d34hgk3f9s8d7f6g5h4j",
  seq: 7,
  atMs: 1,
  storedAtMs: 2,
  activity: "agent.state",
  initiatorId: "sys",
  initiatorName: "system",
  initiatorEmail: "",
  targetId: "",
  meta: { b: "2", a: "1" },
  data: null,
  agentPeerId: null,
  agentSeq: null,
  receipt: null,
  salt: "A".repeat(22),
  connectionId: null,
} as const;

test("a leaf is the event in canonical JSON, without what is not there", () => {
  expect(leafOf(row)).toBe(
    '{"activity_code":"agent.state","at_ms":1,"initiator_email":"","initiator_id":"sys",' +
      '"initiator_name":"system","meta":{"a":"1","b":"2"},"salt":"AAAAAAAAAAAAAAAAAAAAAA","seq":7,' +
      '"stored_at_ms":2,"target_id":""}',
  );
});

test("what a machine reported has its number, a denial its receipt", () => {
  const entry = JSON.parse(
    leafOf({ ...row, agentPeerId: "p34hgk3f9s8d7f6g5h4j", agentSeq: 3, receipt: "r", data: { x: 1 } }),
  );
  expect(entry).toMatchObject({
    agent: { peer_id: "p34hgk3f9s8d7f6g5h4j", seq: 3 },
    receipt: "r",
    data: { x: 1 },
  });
});

test("an event that is older than the log has a salt that nobody was shown, always the same", () => {
  const leaf = leafOf({ ...row, salt: null });
  expect(LogEntry.safeParse(JSON.parse(leaf)).success).toBe(true);
  expect(leafOf({ ...row, salt: null })).toBe(leaf);
  expect(leaf).not.toContain(row.id);
  expect(leafOf({ ...row, salt: null, id: "f34hgk3f9s8d7f6g5h4j" })).not.toBe(leaf);
});

test("order of members, of the database's making, does not count", () => {
  expect(leafOf({ ...row, meta: { a: "1", b: "2" } })).toBe(leafOf(row));
});
