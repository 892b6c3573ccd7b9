import { expect, test } from "bun:test";
import { reportedSessions } from "../../../src/agent/control-link/reported-sessions.ts";
import { createAgentParts, splitAgentMessage } from "../../../src/wire/agent-parts.ts";
import { AgentMessage, type LiveSession } from "../../../src/wire/agent-sync.ts";

const aSession = (forwards: readonly string[], command = "<interactive shell>"): LiveSession => ({
  connectionId: "a".repeat(20),
  localUser: "ada",
  userId: "u".repeat(20),
  user: "ada@example.com",
  peer: "laptop.qf.internal",
  command,
  forwards: [...forwards],
  startedAtSeconds: 1,
});

/** What management makes of it. */
function received(sessions: readonly LiveSession[]): AgentMessage | undefined {
  const parts = createAgentParts();
  for (const part of splitAgentMessage(JSON.stringify({ type: "sessions", sessions }))) {
    const whole = parts.take(part);
    if (whole !== null) return whole === undefined ? undefined : AgentMessage.parse(JSON.parse(whole));
  }
  return undefined;
}

test("what is live is told as it is", () => {
  const sessions = [aSession(["-L db:5432"]), aSession([], "git [3 args]")];
  expect(reportedSessions(sessions)).toEqual(sessions);
});

test.each([
  ["letters", "x", 100],
  ["others", "ü", 20],
])("however much people forward, the message is one that management takes: %s", (_, letter, count) => {
  const forwards = Array.from({ length: 224 }, (__, i) => `-L ${i}.${letter.repeat(240)}:1`);
  const sessions = Array.from({ length: count }, () => aSession(forwards));
  expect(received(sessions)).toBeUndefined();
  const told = received(reportedSessions(sessions));
  if (told?.type !== "sessions") throw new Error("management took no sessions");
  expect(told.sessions).toHaveLength(count);
  expect(told.sessions[0]?.forwards).toHaveLength(224);
});

test("of more sessions than fit the first are told", () => {
  const sessions = Array.from({ length: 20_000 }, () => aSession([], "ü".repeat(256)));
  const told = received(reportedSessions(sessions));
  if (told?.type !== "sessions") throw new Error("management took no sessions");
  expect(told.sessions.length).toBeGreaterThan(1_000);
});
