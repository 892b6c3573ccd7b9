/**
 * Exports all pages of the audit events that match the filter.
 *
 * @module
 */
import { callPage } from "../../api/client.ts";
import type { CsvColumn } from "../../components/csv.ts";
import { ExportPages } from "../../components/export-pages.tsx";
import { type AuditTerms, auditQueryOf } from "./audit-terms.ts";
import type { AuditEvent } from "./audit-words.ts";

const COLUMNS: readonly CsvColumn<AuditEvent>[] = [
  ["number", ({ id }) => id],
  ["timestamp", ({ timestamp }) => timestamp],
  ["activity", ({ activity_code }) => activity_code],
  ["initiator", ({ initiator_name, initiator_email }) => initiator_name || initiator_email],
  ["initiator_id", ({ initiator_id }) => initiator_id],
  ["target_id", ({ target_id }) => target_id],
  ["about", ({ meta }) => JSON.stringify(meta)],
];

export function ExportAudit({ terms }: { readonly terms: AuditTerms }) {
  return (
    <ExportPages
      what="events"
      file="audit.csv"
      columns={COLUMNS}
      read={(paging) => callPage("GET /api/events/audit", { query: { ...auditQueryOf(terms), ...paging } })}
    />
  );
}
