import { expect, test } from "bun:test";
import { ManagementNotice, NOTICE_PEERS_MAX } from "../../src/wire/management-notice.ts";

const peers = Array.from({ length: NOTICE_PEERS_MAX }, () => "p".repeat(20));

test.each([
  { type: "account", by: "", id: "a", version: 0, auditSeq: 0 },
  { type: "links", by: "p1", peers },
  { type: "relays", by: "p1", peers: [] },
  { type: "stopped", by: "p1" },
  { type: "kill", to: "p1", peerId: "m", connectionId: "c", reason: "" },
])("a notice reads back as it was sent (%#)", (notice) => {
  expect(ManagementNotice.parse(JSON.parse(JSON.stringify(notice)))).toEqual(notice as never);
});

test("the longest notice about peers fits into PostgreSQL's 8000 bytes", () => {
  expect(JSON.stringify({ type: "relays", by: "x".repeat(36), peers }).length).toBeLessThan(8_000);
});

test.each([
  { type: "weather" },
  { type: "account", by: "", id: "", version: 0, auditSeq: 0 },
  { type: "account", by: "", id: "a", version: -1, auditSeq: 0 },
  { type: "links", by: "p1", peers: [...peers, "one more"] },
  { type: "stopped" },
  { type: "kill", to: "p1", peerId: "m", connectionId: "c".repeat(257), reason: "" },
])("what is no notice is not read (%#)", (notice) => {
  expect(ManagementNotice.safeParse(notice).success).toBe(false);
});
