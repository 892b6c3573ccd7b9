/**
 * Export of the events that the filter shows, all pages of them.
 *
 * @module
 */
import { useState } from "react";
import { callPage } from "../../api/client.ts";
import { saveFile } from "../../browser/save-file.ts";
import { Button } from "../../components/button.tsx";
import { type CsvColumn, csvOf } from "../../components/csv.ts";
import { useToast } from "../../components/toasts.tsx";
import { type AuditTerms, auditQueryOf } from "./audit-terms.ts";
import type { AuditEvent } from "./audit-words.ts";

const PAGE = "1000";
const ROWS_MAX = 50_000;

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
  const tell = useToast();
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      const { rows, isWhole } = await readAll(terms);
      saveFile("audit.csv", csvOf(COLUMNS, rows), "text/csv");
      const count = rows.length.toLocaleString("en");
      tell(isWhole ? `Exported ${count} events.` : `Exported the newest ${count} events.`);
    } catch (cause) {
      tell(cause instanceof Error ? cause.message : "The export failed.");
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button busy={busy} onClick={() => void run()}>
      Export CSV
    </Button>
  );
}

async function readAll(terms: AuditTerms): Promise<{ rows: AuditEvent[]; isWhole: boolean }> {
  const rows: AuditEvent[] = [];
  let cursor = "";
  while (rows.length < ROWS_MAX) {
    const query = { ...auditQueryOf(terms), limit: PAGE, ...(cursor === "" ? {} : { cursor }) };
    const page = await callPage("GET /api/events/audit", { query });
    rows.push(...page.items);
    if (page.cursor === null) return { rows, isWhole: true };
    cursor = page.cursor;
  }
  return { rows, isWhole: false };
}
