import { expect, test } from "bun:test";
import type { SshSessionRow } from "../../../../src/management/db/tables/ssh-sessions.ts";
import type { LiveConnection } from "../../../../src/management/http/admin/live-connections.ts";
import {
  compareSessions,
  isBehind,
  joinSessions,
  stateOfSession,
} from "../../../../src/management/http/admin/sessions-view.ts";

const NOW = 100_000;
const key = { peerId: "m1", connectionId: "c1" };
const live: LiveConnection = {
  ...{ ...key, userId: "ada", user: "Ada", device: "", localUser: "web", openedAtMs: NOW - 60_000 },
  ...{ path: null, running: [], forwards: [] },
};
const row = (change: Partial<SshSessionRow> = {}): SshSessionRow => ({
  ...{ ...key, accountId: "a1", userId: "ada", userName: "Ada", machineName: "web1", devicePeerId: null },
  ...{ localUser: "web", path: "direct", sourceAddress: "", clientVersion: "", ruleId: null },
  ...{ accessReason: null, offline: false, openedAtMs: NOW - 60_000, closedAtMs: null, endReason: null },
  ...{ bytesIn: null, bytesOut: null, ...change },
});

test.each([
  ["stored and reported", row(), live, true, "live"],
  ["reported only", null, live, true, "live"],
  ["ended, and still reported", row({ closedAtMs: NOW }), live, true, "ended"],
  ["stored, and not reported", row(), null, true, "unknown"],
  ["begun just now", row({ openedAtMs: NOW - 9_999 }), null, true, "live"],
  ["begun a while ago", row({ openedAtMs: NOW - 10_000 }), null, true, "unknown"],
  ["begun just now on a machine that is away", row({ openedAtMs: NOW - 9_999 }), null, false, "unknown"],
] as const)("a session that is %s", (_, stored, reported, isConnected, state) => {
  const session = { ...key, userId: "ada", openedAtMs: 0, row: stored, live: reported };
  expect(stateOfSession(session, { ms: NOW, isConnected: () => isConnected })).toBe(state);
});

test("what is stored says whose it is, whatever its machine reports", () => {
  const reported = new Map([["m1 c1", { ...live, userId: "mallory" }]]);
  expect(joinSessions([row()], reported)).toMatchObject([{ userId: "ada", live: { userId: "mallory" } }]);
});

test("newest first, by id where two began at once; a page begins behind the last one", () => {
  const places = [
    { openedAtMs: 1, connectionId: "a" },
    { openedAtMs: 2, connectionId: "a" },
    { openedAtMs: 2, connectionId: "b" },
  ] as const;
  const sorted = [...places].sort(compareSessions);
  expect(sorted).toEqual([places[2], places[1], places[0]]);
  expect(sorted.map((place) => isBehind(place, places[1]))).toEqual([false, false, true]);
});
