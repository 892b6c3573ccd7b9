/**
 * Exports all pages of the sessions that match the filter.
 *
 * @module
 */
import { callPage } from "../../api/client.ts";
import { ExportPages } from "../../components/export-pages.tsx";
import { type SessionTerms, sessionQueryOf } from "../../terms/session-terms.ts";
import { SESSION_CSV } from "./session-csv.ts";

export function ExportSessions({ terms }: { readonly terms: SessionTerms }) {
  return (
    <ExportPages
      what="sessions"
      file="sessions.csv"
      columns={SESSION_CSV}
      read={(paging) => callPage("GET /api/sessions", { query: { ...sessionQueryOf(terms), ...paging } })}
    />
  );
}
