import { beforeEach, expect, test } from "bun:test";
import { SpoolQueue, type Waiting } from "../../src/audit/spool-queue.ts";
import type { AgentEventBody } from "../../src/wire/audit-event.ts";
import { until } from "../support/until.ts";

const common = { connectionId: "c".repeat(20), durationMs: 1 };
const closed: AgentEventBody = { type: "connection.close", ...common, reason: null, bytesIn: 0, bytesOut: 0 };
const ended: AgentEventBody = { type: "session.end", ...common, sessionId: 0, exitStatus: 0, signal: null };

let due: number;
let queue: SpoolQueue;
beforeEach(() => {
  due = 0;
  queue = new SpoolQueue(() => due++);
});

function add(body: AgentEventBody): void {
  const event: Waiting = {
    ...{ body, owner: null, bytes: 10, json: "", atMs: 0 },
    resolve: () => {},
    reject: () => {},
  };
  queue.add(event);
}

test("an event that something waits for is due at once", () => {
  add(ended);
  expect({ due, isDue: queue.isDue, length: queue.length, bytes: queue.bytes }).toEqual({
    due: 1,
    isDue: true,
    length: 1,
    bytes: 10,
  });
});

test("the end of a connection waits for the next event, and goes with it, in their order", () => {
  add(closed);
  expect({ due, isDue: queue.isDue }).toEqual({ due: 0, isDue: false });
  add(ended);
  expect(due).toBe(1);
  expect(queue.take().map(({ body }) => body.type)).toEqual(["connection.close", "session.end"]);
  expect({ isDue: queue.isDue, length: queue.length, bytes: queue.bytes }).toEqual({
    isDue: false,
    length: 0,
    bytes: 0,
  });
});

test("an end that nothing comes after is due in a moment", async () => {
  add(closed);
  add(closed);
  await until("it is due", () => due > 0);
  expect({ due, length: queue.take().length }).toEqual({ due: 1, length: 2 });
});

test("an end does not wait when it is hurried, and nothing is due when nothing waits", () => {
  queue.hurry();
  expect(due).toBe(0);
  add(closed);
  queue.hurry();
  expect(due).toBe(1);
});
