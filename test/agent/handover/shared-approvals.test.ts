import { expect, test } from "bun:test";
import { createApprovals } from "../../../src/agent/control-link/approvals.ts";
import { shareApprovals } from "../../../src/agent/handover/shared-approvals.ts";
import type { AgentMessage, ManagementMessage } from "../../../src/wire/agent-sync.ts";
import { anId } from "../../support/policy.ts";

const QUESTION: AgentMessage = { type: "approval_close", approvalId: anId("approval") };
const ANSWER = { type: "approval_refused", requestId: anId("request"), why: "full" } as const;

test("questions of an earlier agent go to management while there is a link, and it hears each answer", () => {
  const [sent, heard]: [AgentMessage[], ManagementMessage[]] = [[], []];
  const shared = shareApprovals(createApprovals(), (message) => heard.push(message));
  shared.ask(QUESTION);
  shared.link.attach((message) => sent.push(message));
  shared.ask(QUESTION);
  shared.link.take(ANSWER);
  shared.link.detach();
  shared.ask(QUESTION);
  expect({ sent, heard }).toEqual({ sent: [QUESTION], heard: [ANSWER] });
});

test("nothing but a question about an approval is passed on", () => {
  const sent: AgentMessage[] = [];
  const shared = shareApprovals(createApprovals(), () => {});
  shared.link.attach((message) => sent.push(message));
  shared.ask({ type: "sessions", sessions: [] });
  shared.ask({ type: "leaving" });
  expect(sent).toEqual([]);
});
