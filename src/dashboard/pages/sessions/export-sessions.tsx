/**
 * Export of the sessions that the filter shows, all pages of them.
 *
 * @module
 */
import { useState } from "react";
import { callPage } from "../../api/client.ts";
import { saveFile } from "../../browser/save-file.ts";
import { Button } from "../../components/button.tsx";
import { useToast } from "../../components/toasts.tsx";
import { type SessionTerms, sessionQueryOf } from "../../terms/session-terms.ts";
import { sessionCsv } from "./session-csv.ts";
import type { Session } from "./session-words.ts";

const PAGE = "1000";
const ROWS_MAX = 50_000;

export function ExportSessions({ terms }: { readonly terms: SessionTerms }) {
  const tell = useToast();
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      const { rows, isWhole } = await readAll(terms);
      saveFile("sessions.csv", sessionCsv(rows), "text/csv");
      const count = rows.length.toLocaleString("en");
      tell(isWhole ? `Exported ${count} sessions.` : `Exported the newest ${count} sessions.`);
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

async function readAll(terms: SessionTerms): Promise<{ rows: Session[]; isWhole: boolean }> {
  const rows: Session[] = [];
  let cursor = "";
  while (rows.length < ROWS_MAX) {
    const query = { ...sessionQueryOf(terms), limit: PAGE, ...(cursor === "" ? {} : { cursor }) };
    const page = await callPage("GET /api/sessions", { query });
    rows.push(...page.items);
    if (page.cursor === null) return { rows, isWhole: true };
    cursor = page.cursor;
  }
  return { rows, isWhole: false };
}
