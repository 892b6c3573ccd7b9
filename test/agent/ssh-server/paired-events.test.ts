import { expect, test } from "bun:test";
import {
  endEvent,
  type Kind,
  type Outcomes,
  type StartEvent,
  type StartOf,
  unbegun,
  unended,
} from "../../../src/agent/ssh-server/paired-events.ts";
import { AgentEventBody } from "../../../src/wire/audit-event.ts";

const connection: StartOf<"connection.open"> = {
  ...{ type: "connection.open", devicePeerId: null, localUser: "deploy", path: "direct" },
  ...{ sourceAddress: "203.0.113.7", clientVersion: "x", certificateSerial: null, ruleId: null },
};
const session: StartOf<"session.start"> = {
  ...{ type: "session.start", sessionId: 3, kind: "exec", command: "id", argv: null, pty: true },
};
const forward: StartOf<"forward.open"> = {
  ...{ type: "forward.open", kind: "local", destination: "db:5432", forwardId: 7 },
};
const traffic = { bytesIn: 1, bytesOut: 2 };

function whole(start: StartEvent, outcome: Outcomes[Kind], endReason?: "map_stale" | null): AgentEventBody {
  const end = endEvent(start, outcome, 44, endReason);
  return AgentEventBody.parse({ ...end, connectionId: "c".repeat(20), userId: null });
}

test("each start has an end that can be stored, and names what it ends", () => {
  expect(whole(connection, { ...traffic, reason: null })).toMatchObject({
    ...{ type: "connection.close", bytesIn: 1, bytesOut: 2, durationMs: 44, reason: null },
  });
  expect(whole(session, { exitStatus: 3, signal: null })).toMatchObject({
    ...{ type: "session.end", sessionId: 3, exitStatus: 3, signal: null, durationMs: 44 },
  });
  expect(whole(forward, { ...traffic, reason: "in_use" })).toMatchObject({
    ...{ type: "forward.close", forwardId: 7, kind: "local", destination: "db:5432", reason: "in_use" },
    ...{ bytesIn: 1, bytesOut: 2, durationMs: 44 },
  });
});

test("what ends with its connection has its reason, unless it has one of its own", () => {
  expect(whole(forward, { ...traffic, reason: null }, "map_stale")).toMatchObject({ reason: "map_stale" });
  expect(whole(forward, { ...traffic, reason: "timeout" }, "map_stale")).toMatchObject({ reason: "timeout" });
  expect(whole(connection, { ...traffic, reason: null }, "map_stale")).toMatchObject({ reason: "map_stale" });
});

test("what never began moved nothing, and says why", () => {
  expect(unbegun(forward, "map_stale")).toEqual({ bytesIn: 0, bytesOut: 0, reason: "map_stale" });
  expect(unbegun(connection, null)).toEqual({ bytesIn: 0, bytesOut: 0, reason: null });
  expect(unbegun(session, "map_stale")).toEqual({ exitStatus: 255, signal: null });
});

test("what goes on unheard has no exit status", () => {
  expect(unended(session, "ssh_disabled")).toEqual({ exitStatus: null, signal: null });
  expect(unended(forward, "ssh_disabled")).toEqual({ bytesIn: 0, bytesOut: 0, reason: "ssh_disabled" });
});
