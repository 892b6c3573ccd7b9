import { beforeEach, expect, test } from "bun:test";
import { newId } from "../../../src/base/random.ts";
import { findEventByReceipt, listEvents } from "../../../src/management/db/tables/audit-events.ts";
import { deletePeer, type PeerRow } from "../../../src/management/db/tables/peers.ts";
import { putPolicy } from "../../../src/management/db/tables/policies.ts";
import { listRuleUses } from "../../../src/management/db/tables/rule-uses.ts";
import { ingestAgentEvents } from "../../../src/management/sync/audit-ingest.ts";
import type { AgentEvent, AgentEventBody } from "../../../src/wire/audit-event.ts";
import { aManagement, anAccount, aPeerOf, type TestManagement } from "../../support/management.ts";

let management: TestManagement;
let accountId: string;
let ownerId: string;
let machine: PeerRow;

beforeEach(async () => {
  management = aManagement();
  ({ accountId, ownerId } = await anAccount(management.store));
  machine = await aPeerOf(management.store, accountId);
});

const started: AgentEventBody = { type: "agent.state", what: "started", detail: "" };
const anEvent = (seq: number, body: AgentEventBody = started): AgentEvent => ({
  seq,
  atMs: seq * 1000,
  body,
});
const ingest = (...events: AgentEvent[]) => ingestAgentEvents(management.store, machine, events);
const stored = async () => {
  const rows = await management.store.read((tx) => listEvents(tx, accountId, { limit: 100, afterSeq: 1 }));
  return rows.map((row) => [row.activity, row.agentSeq]);
};

test("events are stored once, however often they come", async () => {
  expect(await ingest(anEvent(1), anEvent(2))).toBe(2);
  expect(await ingest(anEvent(1), anEvent(2))).toBe(2);
  expect(await ingest(anEvent(2), anEvent(3))).toBe(3);
  expect(await stored()).toEqual([
    ["agent.state", 1],
    ["agent.state", 2],
    ["agent.state", 3],
  ]);
});

test("two uploads of the same events at once store them once", async () => {
  const batch = Array.from({ length: 50 }, (_, i) => anEvent(i + 1));
  const results = await Promise.all([ingest(...batch), ingest(...batch), ingest(...batch.slice(0, 20))]);
  expect(results[0]).toBe(50);
  expect((await stored()).map(([, seq]) => seq)).toEqual(batch.map((event) => event.seq));
});

test("a gap is an event of its own", async () => {
  expect(await ingest(anEvent(1))).toBe(1);
  expect(await ingest(anEvent(5))).toBe(5);
  expect(await stored()).toEqual([
    ["agent.state", 1],
    ["agent.gap", null],
    ["agent.state", 5],
  ]);
  const [gap] = await management.store.read((tx) => listEvents(tx, accountId, { limit: 1, beforeSeq: 4 }));
  expect(gap?.meta).toEqual({ machine: "web", from: "2", to: "4" });
});

test("the account's numbers have no gaps and listeners hear the last", async () => {
  const heard: number[] = [];
  management.store.onAudit((_, seq) => heard.push(seq));
  await ingest(anEvent(1), anEvent(3));
  await ingest(anEvent(1));
  const rows = await management.store.read((tx) => listEvents(tx, accountId, { limit: 100, afterSeq: 0 }));
  expect(rows.map((row) => row.seq)).toEqual([1, 2, 3, 4]);
  expect(heard).toEqual([4]);
});

test("a denial is found by its receipt, with its trace and the person it names", async () => {
  const receipt = newId();
  const ruleId = newId();
  await ingest(
    anEvent(1, {
      type: "decision",
      connectionId: null,
      request: {
        userId: ownerId,
        devicePeerId: null,
        targetPeerId: machine.id,
        localUser: "root",
        action: { kind: "connect" },
        atSeconds: 1,
      },
      decision: {
        outcome: "deny",
        reason: "local_user_unmapped",
        ruleId: null,
        trace: [{ ruleId, outcome: "local_user_not_listed" }],
      },
      receipt,
      binding: "idp",
      sourceAddress: "192.0.2.1",
    }),
  );
  const row = await management.store.read((tx) => findEventByReceipt(tx, accountId, receipt));
  expect(row?.activity).toBe("ssh.decision.deny");
  expect(row?.initiatorEmail).toBe("owner@example.com");
  expect(row?.atMs).toBe(1000);
  expect(row?.data).toMatchObject({ decision: { trace: [{ ruleId, outcome: "local_user_not_listed" }] } });
  const other = await anAccount(management.store, "else@example.com");
  expect(
    await management.store.read((tx) => findEventByReceipt(tx, other.accountId, receipt)),
  ).toBeUndefined();
});

test("what was done with files is told of with the first of it by name, as its person's", async () => {
  const operations = [
    { number: 1, op: "open", path: "/srv/report", detail: "read", status: "ok" },
    { number: 2, op: "remove", path: "/srv/report", status: "begun" },
  ] as const;
  const body: AgentEventBody = {
    type: "sftp.operations",
    connectionId: newId(),
    userId: ownerId,
    sessionId: 0,
    operations: [...operations],
  };
  await ingest(anEvent(1, body));
  const [row] = await management.store.read((tx) => listEvents(tx, accountId, { limit: 1 }));
  expect(row).toMatchObject({
    activity: "ssh.sftp.operations",
    initiatorEmail: "owner@example.com",
    meta: { machine: "web", count: "2", op: "open", path: "/srv/report" },
    data: { operations },
  });
});

test.each([
  ["ended", null],
  ["refused", "refused"],
  ["session_killed", "session_killed"],
] as const)("a forward that was %s says how much went through it, and for how long", async (said, reason) => {
  const body: AgentEventBody = {
    ...{ type: "forward.close", connectionId: newId(), userId: ownerId, forwardId: 4, kind: "local" },
    ...{ destination: "db.internal:5432", reason, bytesIn: 12, bytesOut: 3_456, durationMs: 78 },
  };
  await ingest(anEvent(1, body));
  const [row] = await management.store.read((tx) => listEvents(tx, accountId, { limit: 1 }));
  expect(row).toMatchObject({
    activity: "ssh.forward.close",
    initiatorEmail: "owner@example.com",
    meta: {
      ...{ machine: "web", kind: "local", destination: "db.internal:5432", reason: said },
      ...{ bytes_in: "12", bytes_out: "3456", duration_ms: "78" },
    },
    data: body,
  });
});

test("a machine of event version 1 says no number of a forward, and is believed all the same", async () => {
  const body: AgentEventBody = {
    ...{ type: "forward.open", connectionId: newId(), userId: ownerId, kind: "local" },
    destination: "db.internal:5432",
  };
  await ingest(anEvent(1, body));
  const [row] = await management.store.read((tx) => listEvents(tx, accountId, { limit: 1 }));
  expect(row).toMatchObject({ activity: "ssh.forward.open", data: body });
});

test("a machine that is gone is not believed any more", async () => {
  await management.store.transaction((tx) => deletePeer(tx, machine));
  expect(await ingest(anEvent(1))).toBeUndefined();
});

test("what somebody typed is stored whatever it holds, so that nobody stops a machine's evidence by it", async () => {
  const command = "echo \u0000 \ud800 \u001b[2J";
  const body: AgentEventBody = {
    type: "session.start",
    connectionId: "c".repeat(20),
    userId: null,
    sessionId: 0,
    kind: "exec",
    command,
    argv: null,
    pty: false,
  };
  expect(await ingest(anEvent(1, body), anEvent(2))).toBe(2);
  const rows = await management.store.read((tx) => listEvents(tx, accountId, { limit: 2 }));
  expect(rows.map(({ agentSeq }) => agentSeq)).toEqual([2, 1]);
  expect(String(rows[1]?.data?.command).slice(0, 6)).toBe("echo \u0000");
});

test("rules that decided are noted: the one that granted, and drops that denied; never in the future", async () => {
  const [granted, dropped, idle] = [newId(), newId(), newId()];
  const { clock, store } = management;
  const now = Math.floor(clock.nowMs() / 1_000);
  const body = {
    ...{ name: "r", enabled: true, bidirectional: false },
    ...{ action: "accept" as const, protocol: "qufabric-ssh" as const },
  };
  await store.transaction((tx) =>
    putPolicy(
      tx,
      {
        ...{ id: "p", accountId, name: "p", description: null, enabled: true },
        ...{ sourcePostureChecks: [], createdAt: now, updatedAt: now },
      },
      [granted, dropped, idle].map((id, position) => {
        return { id, accountId, policyId: "p", position, body };
      }),
    ),
  );
  const decided = (seq: number, ruleId: string | null, outcome: "granted" | "dropped"): AgentEvent => ({
    seq,
    atMs: clock.nowMs() + 3_600_000,
    body: {
      ...{ type: "decision", connectionId: null, receipt: null, binding: "idp", sourceAddress: "192.0.2.1" },
      request: {
        ...{ userId: ownerId, devicePeerId: null, targetPeerId: machine.id, localUser: "root" },
        ...{ action: { kind: "connect" }, atSeconds: 1 },
      },
      decision: {
        ...{
          outcome: ruleId === null ? "deny" : "allow",
          reason: ruleId === null ? "denied_by_rule" : null,
          ruleId,
        },
        trace: [
          { ruleId: ruleId ?? dropped, outcome },
          { ruleId: idle, outcome: "user_not_in_groups" },
        ],
      },
    },
  });
  await ingest(decided(1, granted, "granted"), decided(2, null, "dropped"));
  const uses = await store.read((tx) => listRuleUses(tx, accountId));
  expect(new Map(uses.map(({ ruleId, lastAt }) => [ruleId, lastAt]))).toEqual(
    new Map([
      [granted, now],
      [dropped, now],
    ]),
  );
});
