/**
 * Asks management over the control link to approve sign-ins that come without a certificate.
 *
 * The SSH server asks. `sync-client.ts` provides the link and passes in the answers. A question is
 * `unavailable` while the link is down, or without an answer in time. Nothing is decided here.
 *
 * @module
 */
import { newId } from "../../base/random.ts";
import type { AgentMessage, ApprovalAnswer, ManagementMessage } from "../../wire/agent-sync.ts";
import type { ApprovalSubject, Approvals, OpenedApproval } from "../contracts/approvals.ts";

/** Approvals as the control link sees them. */
export interface ApprovalLink extends Approvals {
  /** The link is up: `send` goes to management. */
  attach(send: (message: AgentMessage) => void): void;
  /** The link is down: every open question becomes `unavailable`. */
  detach(): void;
  take(message: Answer): void;
}

type Question = Extract<AgentMessage, { type: "approval_open" | "approval_claim" }>;
type Answer = Extract<
  ManagementMessage,
  { type: "approval_opened" | "approval_refused" | "approval_answer" }
>;

const ANSWER_TIMEOUT_MS = 10_000;
/** Questions in flight at once, well below what management queues of one link. */
const UNDER_WAY_MAX = 16;

/** Creates approvals that have no link yet. */
export function createApprovals(): ApprovalLink {
  return new LinkApprovals();
}

class LinkApprovals implements ApprovalLink {
  /** By request id: settles the question with its answer, or null without one. */
  readonly #waiting = new Map<string, (answer: Answer | null) => void>();
  /** Sends over the current link. Null: the link is down. */
  #send: ((message: AgentMessage) => void) | null = null;

  async open(subject: ApprovalSubject): Promise<OpenedApproval> {
    const { connectionId, sessionIdHash, localUser, sourceAddress } = subject;
    const answer = await this.#ask({
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
  }

  async claim(
    { sessionIdHash, localUser }: ApprovalSubject,
    { approvalId, code }: { readonly approvalId: string; readonly code: string },
  ): Promise<ApprovalAnswer | { readonly status: "unavailable" }> {
    const requestId = newId();
    const question = {
      type: "approval_claim",
      requestId,
      approvalId,
      code,
      sessionIdHash,
      localUser,
    } as const;
    const answer = await this.#ask(question);
    return answer?.type === "approval_answer" ? answer.answer : { status: "unavailable" };
  }

  close(approvalId: string): void {
    this.#send?.({ type: "approval_close", approvalId });
  }

  attach(send: (message: AgentMessage) => void): void {
    this.#send = send;
  }

  detach(): void {
    this.#send = null;
    for (const settle of [...this.#waiting.values()]) settle(null);
  }

  take(answer: Answer): void {
    this.#waiting.get(answer.requestId)?.(answer);
  }

  /** Asks, and resolves with the answer. Null: no link, or no answer in time. */
  #ask(question: Question): Promise<Answer | null> {
    const { requestId } = question;
    const send = this.#send;
    if (send === null) return Promise.resolve(null);
    if (this.#waiting.size >= UNDER_WAY_MAX) {
      return Promise.resolve({ type: "approval_refused", requestId, why: "full" });
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(null), ANSWER_TIMEOUT_MS);
      const settle = (answer: Answer | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(requestId);
        resolve(answer);
      };
      this.#waiting.set(requestId, settle);
      send(question);
    });
  }
}
