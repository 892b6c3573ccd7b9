/**
 * Approvals of sign-ins without a certificate, asked of management over the control link.
 *
 * `sync-client.ts` lends the link and hands the answers in; the SSH server asks. What is asked while the
 * link is down, and what is not answered in time, is `unavailable`. Decides nothing.
 *
 * @module
 */
import { newId } from "../../base/random.ts";
import type { AgentMessage, ManagementMessage } from "../../wire/agent-sync.ts";
import type { Approvals } from "../contracts/approvals.ts";

/** What the link does with it. */
export interface ApprovalLink extends Approvals {
  /** The link is up: `send` goes to management. */
  attach(send: (message: AgentMessage) => void): void;
  /** The link is down: whoever waits hears so. */
  detach(): void;
  take(message: Answer): void;
}

type Question = Extract<AgentMessage, { type: "approval_open" | "approval_claim" }>;
type Answer = Extract<
  ManagementMessage,
  { type: "approval_opened" | "approval_refused" | "approval_answer" }
>;

const ANSWER_TIMEOUT_MS = 10_000;
/** Questions under way at once; management takes so many of one agent without losing patience. */
const UNDER_WAY_MAX = 16;

export function createApprovals(): ApprovalLink {
  const waiting = new Map<string, (answer: Answer | null) => void>();
  let send: ((message: AgentMessage) => void) | null = null;

  function ask(question: Question): Promise<Answer | null> {
    const { requestId } = question;
    const sending = send;
    if (sending === null) return Promise.resolve(null);
    if (waiting.size >= UNDER_WAY_MAX) {
      return Promise.resolve({ type: "approval_refused", requestId, why: "full" });
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(null), ANSWER_TIMEOUT_MS);
      const settle = (answer: Answer | null): void => {
        clearTimeout(timer);
        waiting.delete(requestId);
        resolve(answer);
      };
      waiting.set(requestId, settle);
      sending(question);
    });
  }

  return {
    async open({ connectionId, sessionIdHash, localUser, sourceAddress }) {
      const answer = await ask({
        type: "approval_open",
        requestId: newId(),
        connectionId,
        sessionIdHash,
        localUser,
        sourceAddress: sourceAddress.slice(0, 64),
      });
      if (answer?.type === "approval_opened") {
        const { approvalId, url, expiresAtSeconds } = answer;
        return { kind: "opened", approvalId, url, expiresAtSeconds };
      }
      return { kind: answer?.type === "approval_refused" ? answer.why : "unavailable" };
    },
    async claim({ sessionIdHash, localUser }, { approvalId, code }) {
      const answer = await ask({
        type: "approval_claim",
        requestId: newId(),
        approvalId,
        code,
        sessionIdHash,
        localUser,
      });
      return answer?.type === "approval_answer" ? answer.answer : { status: "unavailable" };
    },
    close(approvalId) {
      send?.({ type: "approval_close", approvalId });
    },
    attach(to) {
      send = to;
    },
    detach() {
      send = null;
      for (const settle of [...waiting.values()]) settle(null);
    },
    take(answer) {
      waiting.get(answer.requestId)?.(answer);
    },
  };
}
