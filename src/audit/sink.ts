/**
 * The sink of audit events. Code that permits something records it here first.
 *
 * @module
 */
import type { AgentEventBody } from "../wire/audit-event.ts";

export interface AuditSink {
  /**
   * Resolves once the event is stored and so survives a crash of this process and of the machine. Only then
   * may the act that it permits begin. Rejects with ERR_UNAVAILABLE when the event cannot be stored, and with
   * ERR_TOO_MANY when the person or peer it is about has used up their share: then nothing is permitted.
   */
  record(body: AgentEventBody): Promise<void>;
}
