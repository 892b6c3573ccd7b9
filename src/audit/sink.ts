/**
 * The sink of audit events. Code that permits something records it here first.
 *
 * @module
 */
import type { AgentEventBody } from "../wire/audit-event.ts";

export interface AuditSink {
  /**
   * Resolves once the event is stored, which means that it survives a crash of this process and of the
   * machine; only then may begin what it permits. Rejects with ERR_UNAVAILABLE when it cannot be stored, and
   * with ERR_TOO_MANY when the person or peer that it is about has used up their share: then the answer is
   * no.
   */
  record(body: AgentEventBody): Promise<void>;
}
