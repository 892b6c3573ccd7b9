import { expect, test } from "bun:test";
import { bytesText, detailText, historyRow, lastedText, liveRow } from "../../src/cli/session-text.ts";
import type { SessionDetail } from "../../src/wire/session.ts";

const session: SessionDetail = {
  ...{ id: "d34hgk3f9s8d7f6g5h4j", state: "ended", user_id: null, user: "ada\u001b[2J", machine: "web1" },
  ...{ machine_id: "e34hgk3f9s8d7f6g5h4j", device_id: null, device: "laptop", local_user: "deploy" },
  ...{ path: "relay", source_address: "192.0.2.7", started_at: "2026-11-30T08:00:00.000Z" },
  ...{ ended_at: "2026-11-30T10:03:04.000Z", end_reason: "session_killed", rule_id: null, reason: "ticket" },
  ...{ offline: false, running: [], forwards: [], bytes_in: 0, bytes_out: 1_500_000, may_end: false },
  ...{ client_version: "OpenSSH_9.9", ended_by: { id: "x", name: "owner", reason: "maintenance" } },
  approved_by: { id: "y", name: "boss" },
  channels: [
    {
      ...{ number: 0, kind: "exec", command: "ls \u001b[2J", pty: true, exit_status: 2, signal: null },
      ...{ started_at: "2026-11-30T08:00:00.000Z", ended_at: "2026-11-30T08:00:05.000Z" },
    },
  ],
  forwarded: [
    {
      ...{ kind: "local", destination: "db:5432", started_at: "2026-11-30T08:00:00.000Z", ended_at: null },
      ...{ end_reason: null, bytes_in: null, bytes_out: null },
    },
  ],
  transfers: [
    {
      ...{ at: "2026-11-30T08:00:00.000Z", channel: 1, op: "rename", path: "/a", target: "/b", status: "ok" },
      ...{ bytes_read: null, bytes_written: null, sha256: null },
    },
  ],
  decisions: [
    {
      ...{ at: "2026-11-30T08:00:00.000Z", action: { kind: "sftp" }, outcome: "deny", rule_id: null },
      reason: "sftp_not_allowed",
    },
  ],
  truncated: true,
};

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 kB"],
  [1_500_000, "1.5 MB"],
  [5e15, "5000.0 TB"],
])("%d bytes are written as %s", (bytes, text) => expect(bytesText(bytes)).toBe(text));

test.each([
  ["2026-11-30T08:00:09.000Z", "9 s"],
  ["2026-11-30T08:02:09.000Z", "2 min 9 s"],
  ["2026-11-30T10:03:04.000Z", "2 h 3 min"],
  ["2026-11-30T07:00:00.000Z", "0 s"],
  [null, ""],
])("what ended at %p lasted %p", (ended_at, text) => {
  expect(lastedText({ started_at: "2026-11-30T08:00:00.000Z", ended_at })).toBe(text);
});

test("a row of either list has what its headings say", () => {
  const live = { ...session, state: "live", running: ["ls", "<sftp>"], forwards: ["L 1"] } as const;
  const nowMs = Date.parse("2026-11-30T08:05:00Z");
  expect(liveRow({ ...live, running: [...live.running], forwards: [...live.forwards] }, nowMs)).toEqual([
    ...[session.id, session.user, "web1", "deploy", "5 min ago (2026-11-30 08:00:00 UTC)", "relay"],
    "ls, <sftp>, forwards L 1",
  ]);
  expect(historyRow(session).slice(4)).toEqual([
    ...["2026-11-30 08:00:00 UTC", "2 h 3 min", "1.5 MB", "session_killed"],
  ]);
});

test("one whole tells each kind of thing under a heading, and nothing that drives a terminal", () => {
  const text = detailText(session);
  for (const part of ["CHANNEL", "FORWARD", "FILE", "REFUSED", "owner: maintenance", "/a -> /b", "open"]) {
    expect(text).toContain(part);
  }
  expect(text).not.toContain("\u001b");
});

test("what did not happen has no heading", () => {
  const none = { channels: [], forwarded: [], transfers: [], decisions: [], truncated: false };
  expect(detailText({ ...session, ...none })).not.toContain("\n\n");
});
