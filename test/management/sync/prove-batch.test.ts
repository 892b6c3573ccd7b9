import { expect, test } from "bun:test";
import { generateEd25519 } from "../../../src/base/ed25519.ts";
import { batchHash, eventHash, signBatch } from "../../../src/log/batch.ts";
import { proveBatch } from "../../../src/management/sync/prove-batch.ts";
import type { AgentEvent } from "../../../src/wire/audit-event.ts";
import { NO_BATCH, type SignedBatch } from "../../../src/wire/log-entry.ts";

const device = generateEd25519();
const peer = { id: "p34hgk3f9s8d7f6g5h4j", accountId: "d34hgk3f9s8d7f6g5h4j", deviceKey: device.publicKey };
const origin = "https://qf.example.com";
const events = [4, 5].map((seq): AgentEvent => {
  return { seq, atMs: seq, body: { type: "agent.state", what: "started", detail: "" } };
});
const salts = ["A".repeat(22), `${"B".repeat(21)}A`];
const fields = {
  first_seq: 4,
  last_seq: 5,
  hash: batchHash(events.map((event, i) => eventHash(event, salts[i] ?? ""))),
  previous: NO_BATCH,
};
const signature = signBatch(device, peer.accountId, { ...fields, peer_id: peer.id, management: origin });
const batch: SignedBatch = { ...fields, signature, salts };

test("a batch of the machine over these events is proven, with a salt for each", () => {
  const proven = proveBatch(peer, origin, { events, batch });
  expect(proven?.record).toMatchObject({ peer_id: peer.id, management: origin, first_seq: 4 });
  expect(proven?.saltOf(5)).toEqual({ salt: salts[1] ?? "" });
});

test.each([
  ["of another machine", { ...peer, deviceKey: generateEd25519().publicKey }, origin, { events, batch }],
  ["for another management", peer, "https://other.example.com", { events, batch }],
  ["in another order", peer, origin, { events: events.toReversed(), batch }],
  ["without an event", peer, origin, { events: events.slice(1), batch }],
  ["with an event twice", peer, origin, { events: [...events, ...events.slice(1)], batch }],
  ["with other salts", peer, origin, { events, batch: { ...batch, salts: salts.toReversed() } }],
  ["with a salt too few", peer, origin, { events, batch: { ...batch, salts: salts.slice(1) } }],
  ["with other numbers", peer, origin, { events, batch: { ...batch, first_seq: 3 } }],
])("one %s is not", (_, of, management, upload) => {
  expect(proveBatch(of, management, upload)).toBeNull();
});
