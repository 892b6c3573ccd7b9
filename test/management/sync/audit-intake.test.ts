import { afterEach, beforeEach, expect, test } from "bun:test";
import { AuditIntake } from "../../../src/management/sync/audit-intake.ts";
import type { ManagementMessage } from "../../../src/wire/agent-sync.ts";
import type { AgentEvent } from "../../../src/wire/audit-event.ts";
import { aPeerRow } from "../../support/peer-row.ts";
import { startTestManagement, type TestManagement } from "../../support/running-management.ts";
import { tempFolder } from "../../support/temp-folder.ts";

let management: TestManagement;
beforeEach(async () => {
  management = await startTestManagement(tempFolder());
});
afterEach(() => management.close());

/** A machine's link, as far as audit events go. */
async function aLink(name: string) {
  const { row: peer } = await aPeerRow(management, { name });
  const sent: ManagementMessage[] = [];
  let refreshed = 0;
  return {
    link: {
      peerId: peer.id,
      accountId: management.accountId,
      name,
      send: (message: ManagementMessage) => void sent.push(message),
      refresh: () => void refreshed++,
    },
    acknowledged: () => sent.flatMap((message) => (message.type === "audit_ack" ? [message.throughSeq] : [])),
    refreshed: () => refreshed,
  };
}

const event = (seq: number): AgentEvent => ({
  seq,
  atMs: 1,
  body: { type: "agent.state", what: "started", detail: `event ${seq} ${"x".repeat(400)}` },
});

async function storedOf(name: string): Promise<number> {
  const events = await management.events();
  return events.filter(({ meta }) => meta.machine === name && meta.detail?.startsWith("event ")).length;
}

test("a machine within its share is acknowledged once its events are stored", async () => {
  const intake = new AuditIntake(management.context, 10_000);
  const { link, acknowledged } = await aLink("web1");
  await intake.take(link, { events: [event(1), event(2)] });
  expect([acknowledged(), await storedOf("web1")]).toEqual([[2], 2]);
});

test("one that has used it up is not acknowledged, named once, and in nobody's way", async () => {
  const intake = new AuditIntake(management.context, 1_000);
  const greedy = await aLink("web1");
  const other = await aLink("web2");
  for (const seq of [1, 2, 3, 4, 4, 4]) await intake.take(greedy.link, { events: [event(seq)] });
  await intake.take(other.link, { events: [event(1)] });
  expect([greedy.acknowledged(), await storedOf("web1")]).toEqual([[1, 2, 3], 3]);
  expect([other.acknowledged(), await storedOf("web2")]).toEqual([[1], 1]);
  expect([greedy, other].map(({ link }) => intake.isHeldBack(link.peerId))).toEqual([true, false]);
  const named = (await management.events()).filter(({ meta }) => meta.what === "audit_share_used_up");
  expect(named.map(({ activity_code: code, meta }) => [code, meta.peer])).toEqual([["agent.state", "web1"]]);
});

test("what was kept back is stored without a gap once there is room again", async () => {
  const { link, acknowledged } = await aLink("web1");
  const full = new AuditIntake(management.context, 1);
  await full.take(link, { events: [event(1)] });
  await full.take(link, { events: [event(2), event(3)] });
  await new AuditIntake(management.context).take(link, { events: [event(2), event(3)] });
  expect([acknowledged(), await storedOf("web1")]).toEqual([[1, 3], 3]);
  expect((await management.events()).filter((one) => one.activity_code === "agent.gap")).toEqual([]);
});

test("a machine that is gone is told so by a refresh, and nothing is stored", async () => {
  const intake = new AuditIntake(management.context);
  const { link, acknowledged, refreshed } = await aLink("web1");
  await intake.take({ ...link, peerId: "p0000000000000000000" }, { events: [event(1)] });
  expect([acknowledged(), refreshed(), await storedOf("web1")]).toEqual([[], 1, 0]);
});
