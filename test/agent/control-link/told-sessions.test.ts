import { expect, test } from "bun:test";
import { ToldSessions } from "../../../src/agent/control-link/told-sessions.ts";
import type { AgentMessage, LiveSession } from "../../../src/wire/agent-sync.ts";
import { until } from "../../support/until.ts";

test("each link is told of sessions, and again when they are others", async () => {
  const session = { connectionId: "c", forwards: [] } as unknown as LiveSession;
  let live: LiveSession[] = [];
  const sent: AgentMessage[] = [];
  const told = new ToldSessions(() => live);
  told.start((message) => sent.push(message));
  expect(sent).toEqual([]);
  live = [session];
  await until("it is told", () => sent.length > 0);
  expect(sent).toEqual([{ type: "sessions", sessions: [session] }]);
  told.stop();
  told.start((message) => sent.push(message));
  expect(sent).toHaveLength(2);
  told.stop();
});
