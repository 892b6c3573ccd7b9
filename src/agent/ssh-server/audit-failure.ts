/**
 * The message for a person whose action cannot be stored as evidence, and so does not happen.
 *
 * @module
 */
import { isQfError } from "../../base/errors.ts";
import type { ReasonCode } from "../../wire/reason.ts";

/** `cause` is what `AuditSink.record` rejected with. */
export function reasonOfAuditFailure(cause: unknown): ReasonCode {
  return isQfError(cause, "ERR_TOO_MANY") ? "audit_share_full" : "audit_unavailable";
}
