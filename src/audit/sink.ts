/**
 * The sink of audit events. Code that permits an action records it here first.
 *
 * @module
 */
import type { AgentEventBody } from "../wire/audit-event.ts";

export interface AuditSink {
  /**
   * Resolves once the event is stored durably, so that it survives a crash of the process and the machine.
   * Only then may the action begin. Rejects with ERR_UNAVAILABLE when the event cannot be stored, and
   * ERR_TOO_MANY when the person or peer has used up their share. The action is then not permitted.
   */
  record(body: AgentEventBody): Promise<void>;
}
