/**
 * Shares one control link's approvals between this agent and earlier ones that still serve sessions. Each
 * asks with request ids of its own and hears every answer.
 *
 * @module
 */
import type { AgentMessage, ManagementMessage } from "../../wire/agent-sync.ts";
import type { ApprovalLink } from "../control-link/approvals.ts";

export interface SharedApprovals {
  /** The control link's end. */
  readonly link: Pick<ApprovalLink, "attach" | "detach" | "take">;
  /** Passes on an earlier agent's question. While the link is down the question is dropped, and times out. */
  ask(message: AgentMessage): void;
}

export function shareApprovals(
  own: ApprovalLink,
  onAnswer: (message: ManagementMessage) => void,
): SharedApprovals {
  let send: ((message: AgentMessage) => void) | null = null;
  return {
    link: {
      attach(next) {
        send = next;
        own.attach(next);
      },
      detach() {
        send = null;
        own.detach();
      },
      take(message) {
        own.take(message);
        onAnswer(message);
      },
    },
    ask(message) {
      if (message.type.startsWith("approval_")) send?.(message);
    },
  };
}
