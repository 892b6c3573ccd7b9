/**
 * Audit events of SSH connections as databases before migration 13 have them, and what it makes of them.
 */
const rowOf = (seq: number, change: Record<string, unknown>) => ({
  ...{ id: `e${seq}`, account_id: "acc", seq, at_ms: seq * 1000, stored_at_ms: 1, initiator_id: "ada" },
  ...{ initiator_name: "Ada", initiator_email: "ada@example.com", target_id: "m1", agent_peer_id: "m1" },
  ...{ agent_seq: seq, meta: '{"machine":"web1"}', receipt: null, salt: null, ...change },
});
const opening = (connectionId: string, change: object = {}): string =>
  JSON.stringify({
    ...{ type: "connection.open", connectionId, userId: "ada", devicePeerId: null, localUser: "web" },
    ...{ path: "relay", sourceAddress: "::1", clientVersion: "x", certificateSerial: null, ruleId: null },
    ...change,
  });
const closing = (connectionId: string): string =>
  JSON.stringify({
    ...{ type: "connection.close", connectionId, reason: "session_idle", bytesIn: 1, bytesOut: 2 },
  });

const ENDED = "a".repeat(20);
const OPEN = "b".repeat(20);
const HOSTILE = "c".repeat(20);

/** Columns by name, one event each. */
export const OLD_CONNECTION_EVENTS = [
  rowOf(1, { activity: "ssh.connection.open", data: opening(ENDED, { offline: true }) }),
  rowOf(2, { activity: "ssh.session.start", data: JSON.stringify({ connectionId: ENDED, command: "a\0b" }) }),
  // Another machine's word counts nothing.
  rowOf(3, { activity: "ssh.connection.close", data: closing(OPEN), agent_peer_id: "m2" }),
  rowOf(4, { activity: "ssh.connection.open", data: opening(OPEN) }),
  rowOf(5, { activity: "ssh.connection.close", data: closing(ENDED) }),
  rowOf(6, { activity: "login", data: null, agent_peer_id: null, agent_seq: null }),
  rowOf(7, {
    activity: "ssh.session.start",
    data: JSON.stringify({ command: `"connectionId":"${ENDED}"`, connectionId: HOSTILE }),
  }),
];

/** Column `connection_id` of these events, by number. */
export const OLD_CONNECTION_IDS = [ENDED, ENDED, OPEN, OPEN, ENDED, null, HOSTILE];

/** Sessions that are taken in: id, end, why it ended, bytes out. */
export const OLD_SESSIONS = [
  [ENDED, 5_000, "session_idle", 2],
  [OPEN, null, null, null],
];
