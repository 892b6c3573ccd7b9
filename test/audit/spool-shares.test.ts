import { expect, test } from "bun:test";
import { isEnd, SpoolShares, shareOfKind } from "../../src/audit/spool-shares.ts";
import type { AgentEventBody } from "../../src/wire/audit-event.ts";

const ann = "u".repeat(20);
const peer = "p".repeat(20);
const connectionId = "c".repeat(20);
const open = (userId: string | null): AgentEventBody =>
  ({
    type: "connection.open",
    connectionId,
    userId,
    devicePeerId: peer,
    localUser: "deploy",
    path: "direct",
    sourceAddress: "",
    clientVersion: "",
    certificateSerial: null,
    ruleId: "r".repeat(20),
  }) as unknown as AgentEventBody;
const end: AgentEventBody = {
  type: "session.end",
  connectionId,
  sessionId: 0,
  exitStatus: 0,
  signal: null,
  durationMs: 1,
};
const closed: AgentEventBody = {
  type: "connection.close",
  connectionId,
  durationMs: 1,
  reason: null,
  bytesIn: 0,
  bytesOut: 0,
};
const spool = (used: number) => ({ used, bytesMax: 800 });

test("an event counts for its person, else for the peer that the connection came from", () => {
  const shares = new SpoolShares();
  expect(shares.ownerOf(open(ann))).toBe(ann);
  expect(shares.ownerOf(open(null))).toBe(peer);
  expect(shares.ownerOf(end)).toBeNull();
  shares.stored("1", peer, open(null), 10);
  expect(shares.ownerOf(end)).toBe(peer);
  shares.stored("1", peer, closed, 10);
  expect(shares.ownerOf(end)).toBeNull();
});

test("shares do not count while little is used; then one owner has an eighth", () => {
  const shares = new SpoolShares();
  shares.take(ann, 100);
  expect(shares.hasRoom(ann, 1, spool(299))).toBe(true);
  expect(shares.hasRoom(ann, 1, spool(300))).toBe(false);
  expect(shares.hasRoom(peer, 100, spool(300))).toBe(true);
  expect(shares.hasRoom(peer, 101, spool(300))).toBe(false);
});

test("bytes come back when they were not written, and with the segment that held them", () => {
  const shares = new SpoolShares();
  shares.take(ann, 60);
  shares.give(ann, 60);
  shares.found("1", open(ann), 60);
  shares.found("2", open(ann), 40);
  expect(shares.hasRoom(ann, 1, spool(700))).toBe(false);
  shares.dropped("1");
  expect(shares.hasRoom(ann, 60, spool(700))).toBe(true);
  expect(shares.hasRoom(ann, 61, spool(700))).toBe(false);
});

test("that an owner has no room is news once, until they had some again", () => {
  const shares = new SpoolShares();
  shares.take(ann, 10);
  expect([shares.isNews(ann), shares.isNews(ann)]).toEqual([true, false]);
  shares.give(ann, 5);
  expect(shares.isNews(ann)).toBe(true);
});

test("the end of what has begun is an end, its beginning is none", () => {
  expect([isEnd(end), isEnd(closed), isEnd(open(ann))]).toEqual([true, true, false]);
});

test("what strangers and refused people can repeat has a part of the spool, a session all of it", () => {
  expect(shareOfKind({ type: "auth.failed" } as AgentEventBody, 0.5)).toBe(0.5);
  expect(shareOfKind({ type: "sftp.operations" } as AgentEventBody, 0.5)).toBe(0.75);
  const decision = (outcome: string) => ({ type: "decision", decision: { outcome } }) as AgentEventBody;
  expect(shareOfKind(decision("deny"), 0.5)).toBe(0.75);
  expect(shareOfKind(decision("allow"), 0.5)).toBe(1);
  expect(shareOfKind(open(ann), 0.5)).toBe(1);
});
