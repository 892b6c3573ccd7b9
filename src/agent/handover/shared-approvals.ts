/**
 * Approvals over one control link for this agent and for earlier ones that still serve sessions: each asks
 * with ids of its own, and hears every answer.
 *
 * @module
 */
import type { AgentMessage, ManagementMessage } from "../../wire/agent-sync.ts";
import type { ApprovalLink } from "../control-link/approvals.ts";

export interface SharedApprovals {
  /** For the control link. */
  readonly link: Pick<ApprovalLink, "attach" | "detach" | "take">;
  /** A question of an earlier agent. Without a link it goes nowhere, and is not answered in time. */
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
