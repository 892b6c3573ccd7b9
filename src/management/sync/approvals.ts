/**
 * Approvals that agents ask for on their control link: passes requests to `login/approval.ts` and answers
 * back. A failure here is an answer too and never ends the link.
 *
 * @module
 */
import { isQfError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { AgentMessage } from "../../wire/agent-sync.ts";
import type { Approvals } from "../login/approval.ts";
import type { AgentLink } from "./link.ts";

type ApprovalMessage = Extract<AgentMessage, { type: "approval_open" | "approval_claim" | "approval_close" }>;

/** Answers one message. `approvals` is null until something serves them. */
export async function answerApproval(
  log: Log,
  approvals: Approvals | null,
  { link, message }: { readonly link: AgentLink; readonly message: ApprovalMessage },
): Promise<void> {
  try {
    if (message.type === "approval_close") return await approvals?.close(link, message.approvalId);
    const { requestId } = message;
    if (approvals === null) return link.send({ type: "approval_refused", requestId, why: "unavailable" });
    if (message.type === "approval_open") {
      return link.send({ type: "approval_opened", requestId, ...(await approvals.open(link, message)) });
    }
    link.send({ type: "approval_answer", requestId, answer: await approvals.claim(link, message) });
  } catch (cause) {
    const isFull = isQfError(cause, "ERR_TOO_MANY");
    if (!isFull) log.error("an approval could not be handled", { peerId: link.peerId }, cause);
    if (message.type === "approval_close") return;
    const why = isFull ? "full" : "unavailable";
    link.send({ type: "approval_refused", requestId: message.requestId, why });
  }
}
