import { expect, test } from "bun:test";
import { eventsOfVersion } from "../../../src/agent/control-link/event-version.ts";
import { type AgentEvent, AgentEventBody } from "../../../src/wire/audit-event.ts";
import { EVENT_VERSION } from "../../../src/wire/version.ts";

const forward = {
  connectionId: "c".repeat(20),
  userId: "u".repeat(20),
  kind: "local",
  destination: "db.internal:5432",
} as const;
const open: AgentEventBody = { type: "forward.open", ...forward, forwardId: 3 };
const close: AgentEventBody = {
  type: "forward.close",
  ...forward,
  forwardId: 3,
  reason: "refused",
  bytesIn: 1,
  bytesOut: 22,
  durationMs: 333,
};
const end: AgentEventBody = {
  type: "session.end",
  connectionId: "c".repeat(20),
  sessionId: 0,
  exitStatus: 0,
  signal: null,
  durationMs: 1,
};

/**
 * Names of event version 1, whose management refuses every other: the shapes are not to be changed any more.
 */
const VERSION_1: Record<string, readonly string[]> = {
  "forward.open": ["type", "connectionId", "userId", "kind", "destination"],
  "session.end": ["type", "connectionId", "userId", "sessionId", "exitStatus", "signal", "durationMs"],
  "agent.state": ["type", "what", "detail"],
};

const events = [open, close, end].map((body, index): AgentEvent => ({ seq: index + 7, atMs: index, body }));

test("a management of version 1 gets what it understands, under the same numbers", () => {
  const sent = eventsOfVersion(1, events);
  expect(sent.map(({ seq }) => seq)).toEqual([7, 8, 9]);
  for (const { body } of sent) {
    expect(AgentEventBody.safeParse(body).success).toBe(true);
    const unknown = Object.keys(body).filter((name) => !VERSION_1[body.type]?.includes(name));
    expect(unknown).toEqual([]);
  }
  expect(sent[1]?.body).toEqual({
    type: "agent.state",
    what: "spool_dropped",
    detail:
      "forward.close of cccccccccccccccccccc: 1 bytes in, 22 bytes out, 333 ms, refused, " +
      "local db.internal:5432",
  });
});

test("a destination of any length fits into what is said instead", () => {
  const long: AgentEvent = { seq: 1, atMs: 0, body: { ...close, destination: "x".repeat(4_096) } };
  expect(AgentEventBody.safeParse(eventsOfVersion(1, [long])[0]?.body).success).toBe(true);
});

test.each([EVENT_VERSION, EVENT_VERSION + 1])(
  "a management of version %d gets them as they are",
  (version) => {
    expect(eventsOfVersion(version, events)).toEqual(events);
  },
);
