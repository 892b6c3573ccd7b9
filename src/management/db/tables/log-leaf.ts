/**
 * Events as leaves of the account's log: the one place where a row becomes the text that is hashed.
 *
 * @module
 */
import { sha256 } from "../../../base/random.ts";
import { asStored, canonicalJson } from "../../../log/canonical-json.ts";
import type { LogEntry } from "../../../wire/log-entry.ts";
import type { Row } from "../schema/schema.ts";

type EventRow = Row<"auditEvents">;

const SALT_CHARACTERS = 22;

/** The event's leaf: canonical JSON, which never changes once the event is stored. */
export function leafOf(row: EventRow): string {
  return canonicalJson(asStored(entryOf(row)));
}

function entryOf(row: EventRow): LogEntry {
  return {
    seq: row.seq,
    at_ms: row.atMs,
    stored_at_ms: row.storedAtMs,
    activity_code: row.activity,
    initiator_id: row.initiatorId,
    initiator_name: row.initiatorName,
    initiator_email: row.initiatorEmail,
    target_id: row.targetId,
    meta: row.meta,
    ...(row.data === null ? {} : { data: row.data }),
    ...(row.agentPeerId === null || row.agentSeq === null
      ? {}
      : { agent: { peer_id: row.agentPeerId, seq: row.agentSeq } }),
    ...(row.receipt === null ? {} : { receipt: row.receipt }),
    salt: row.salt ?? saltBefore(row.id),
  };
}

/** The salt of an event older than the log: derived from its id, which is random and was never shown. */
function saltBefore(id: string): string {
  return sha256(`salt ${id}`).slice(0, SALT_CHARACTERS);
}
