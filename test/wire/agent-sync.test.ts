import { expect, test } from "bun:test";
import { AgentMessage, ManagementMessage, RETRY_MS_MAX } from "../../src/wire/agent-sync.ts";

const id = "i".repeat(20);
const hash = "h".repeat(43);
const approval = { requestId: id, sessionIdHash: hash, localUser: "deploy" };

test.each([
  { type: "ack", version: 1 },
  { type: "ping", sentMs: 0 },
  { type: "sessions", sessions: [] },
  { type: "need_map" },
  { type: "approval_open", connectionId: id, sourceAddress: "192.0.2.1", ...approval },
  { type: "approval_claim", approvalId: id, code: "123456", ...approval },
  { type: "approval_close", approvalId: id },
  { type: "leaving" },
])("an agent may say %j", (message) => {
  expect(AgentMessage.parse(message)).toEqual(message as never);
});

test.each([
  { type: "ack", version: 0 },
  { type: "ack", version: 1, more: true },
  { type: "audit", events: [] },
  { type: "approval_claim", approvalId: id, code: "", ...approval },
  { type: "approval_claim", approvalId: id, code: "c".repeat(65), ...approval },
  { type: "approval_open", connectionId: id, sourceAddress: "", ...approval, localUser: "*" },
  { type: "become_root" },
  {},
])("an agent may not say %j", (message) => {
  expect(AgentMessage.safeParse(message).success).toBe(false);
});

test.each([
  { type: "current", version: 1 },
  { type: "pong", sentMs: 1, nowMs: 2, spreadMs: RETRY_MS_MAX },
  { type: "audit_ack", throughSeq: 0 },
  { type: "kill", connectionId: id, reason: "over" },
  { type: "bye", code: "busy", message: "later", retry: true, retryAfterMs: 0 },
  { type: "approval_answer", requestId: id, answer: { status: "wrong_code", triesLeft: 0 } },
])("management may say %j, and more in it", (message) => {
  expect(ManagementMessage.parse({ ...message, fromTheFuture: 1 })).toEqual(message as never);
});

test.each([
  { type: "current", version: 0 },
  { type: "bye", code: "busy", message: "later", retry: true, retryAfterMs: RETRY_MS_MAX + 1 },
  { type: "bye", code: "busy", message: "later" },
  { type: "welcome", challenge: "short" },
  { type: "approval_answer", requestId: id, answer: { status: "approved" } },
])("management may not say %j", (message) => {
  expect(ManagementMessage.safeParse(message).success).toBe(false);
});
