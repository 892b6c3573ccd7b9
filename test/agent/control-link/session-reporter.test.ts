import { expect, test } from "bun:test";
import { SessionReporter } from "../../../src/agent/control-link/session-reporter.ts";
import type { AgentMessage, LiveSession } from "../../../src/wire/agent-sync.ts";
import { until } from "../../support/until.ts";

test("each link is told of sessions, and again when they are others", async () => {
  const session = { connectionId: "c", forwards: [] } as unknown as LiveSession;
  let live: LiveSession[] = [];
  const sent: AgentMessage[] = [];
  const reporter = new SessionReporter(() => live);
  reporter.start((message) => sent.push(message));
  expect(sent).toEqual([]);
  live = [session];
  await until("it is told", () => sent.length > 0);
  expect(sent).toEqual([{ type: "sessions", sessions: [session] }]);
  reporter.stop();
  reporter.start((message) => sent.push(message));
  expect(sent).toHaveLength(2);
  reporter.stop();
});
