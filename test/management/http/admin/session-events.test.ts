import { beforeEach, expect, test } from "bun:test";
import type { AgentEventBody } from "../../../../src/wire/audit-event.ts";
import { SessionApi } from "../../../support/session-api.ts";

let on: SessionApi;
beforeEach(async () => {
  on = await SessionApi.open();
});

test("what happened is told in order: channels, forwards, transfers, decisions", async () => {
  const id = await on.beginLive(on.web, on.api.ownerId);
  const of = { connectionId: id, userId: on.api.ownerId };
  const operation = { number: 1, op: "open", path: "/srv/a", status: "ok" } as const;
  const transfer = { bytesRead: 0, bytesWritten: 9, sizeBytes: 9, sha256: null };
  for (const body of [
    {
      type: "session.start",
      ...of,
      sessionId: 0,
      kind: "exec",
      command: "ls \u0000",
      argv: null,
      pty: false,
    },
    { type: "session.end", ...of, sessionId: 0, exitStatus: 2, signal: null, durationMs: 1 },
    { type: "session.start", ...of, sessionId: 1, kind: "sftp", command: null, argv: null, pty: false },
    {
      ...{ type: "sftp.operations", ...of, sessionId: 1 },
      operations: [operation, { ...operation, number: 2, op: "close", transfer }],
    },
    { type: "forward.open", ...of, kind: "local", destination: "db:5432", forwardId: 0 },
    { type: "forward.open", ...of, kind: "local", destination: "db:5432", forwardId: 1 },
    {
      ...{ type: "forward.close", ...of, kind: "local", destination: "db:5432", forwardId: 1 },
      ...{ reason: "refused", bytesIn: 1, bytesOut: 2, durationMs: 3 },
    },
    {
      ...{ type: "decision", connectionId: id, receipt: null, binding: "idp", sourceAddress: "" },
      request: {
        ...{ userId: on.api.ownerId, devicePeerId: null, targetPeerId: on.web.id, localUser: "deploy" },
        ...{ action: { kind: "exec", command: "ls" }, atSeconds: 1 },
      },
      decision: { outcome: "deny", reason: "subsystem_unknown", ruleId: null, trace: [] },
    },
  ] as AgentEventBody[]) {
    await on.report(on.web, body);
  }
  const { body } = await on.api.call("GET", `/api/sessions/${id}`);
  expect(body.channels).toMatchObject([
    { number: 0, kind: "exec", exit_status: 2, ended_at: expect.any(String) },
    { number: 1, kind: "sftp", ended_at: null },
  ]);
  expect(body.transfers).toMatchObject([
    { channel: 1, op: "open", path: "/srv/a", bytes_written: null },
    { op: "close", bytes_written: 9 },
  ]);
  expect(body.forwarded).toMatchObject([
    { destination: "db:5432", ended_at: null },
    { end_reason: "refused", bytes_in: 1, bytes_out: 2 },
  ]);
  expect(body.decisions).toMatchObject([{ outcome: "deny", action: { kind: "exec" } }]);
  expect([body.client_version, body.truncated]).toEqual(["OpenSSH_9.9", false]);
});
