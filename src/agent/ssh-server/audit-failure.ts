/**
 * Reason codes for an action that is refused because its audit event cannot be stored.
 *
 * @module
 */
import { isQfError } from "../../base/errors.ts";
import type { ReasonCode } from "../../wire/reason.ts";

/** `cause` is what `AuditSink.record` rejected with. */
export function reasonOfAuditFailure(cause: unknown): ReasonCode {
  return isQfError(cause, "ERR_TOO_MANY") ? "audit_share_full" : "audit_unavailable";
}
