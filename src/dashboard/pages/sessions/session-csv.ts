/**
 * Sessions as comma-separated values (RFC 4180), times in UTC, with what a spreadsheet would take for a
 * formula made text.
 *
 * @module
 */
import type { Session } from "./session-words.ts";

const COLUMNS: readonly (readonly [heading: string, value: (session: Session) => string | number | null])[] =
  [
    ["id", ({ id }) => id],
    ["state", ({ state }) => state],
    ["user", ({ user }) => user],
    ["user_id", ({ user_id }) => user_id],
    ["machine", ({ machine }) => machine],
    ["local_user", ({ local_user }) => local_user],
    ["device", ({ device }) => device],
    ["path", ({ path }) => path],
    ["source_address", ({ source_address }) => source_address],
    ["started_at", ({ started_at }) => started_at],
    ["ended_at", ({ ended_at }) => ended_at],
    ["end_reason", ({ end_reason }) => end_reason],
    ["reason", ({ reason }) => reason],
    ["rule_id", ({ rule_id }) => rule_id],
    ["bytes_in", ({ bytes_in }) => bytes_in],
    ["bytes_out", ({ bytes_out }) => bytes_out],
  ];

/** Rows under headings, lines ended by CR LF. */
export function sessionCsv(sessions: readonly Session[]): string {
  const rows = sessions.map((session) => COLUMNS.map(([, value]) => String(value(session) ?? "")));
  return [COLUMNS.map(([heading]) => heading), ...rows]
    .map((row) => `${row.map(cellOf).join(",")}\r\n`)
    .join("");
}

function cellOf(text: string): string {
  const shown = text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ")
    .trim();
  const safe = /^[=+\-@]/.test(shown) ? `'${shown}` : shown;
  return /[",']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
