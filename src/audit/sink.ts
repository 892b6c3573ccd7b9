/**
 * Where evidence goes. "Stored" means it survives a crash of this process and of this machine.
 *
 * @module
 */
import type { AgentEventBody } from "../wire/audit-event.ts";

export interface AuditSink {
  /**
   * Resolves once the event is stored; only then may what it permits begin. Rejects with a QfError
   * (ERR_UNAVAILABLE) when it cannot be stored, or (ERR_TOO_MANY) when whose event it is has no room left
   * beside that of others: then the answer is no.
   */
  record(body: AgentEventBody): Promise<void>;
}
