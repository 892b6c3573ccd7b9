/**
 * Comma-separated values (RFC 4180), with formulas for spreadsheets neutralised.
 *
 * @module
 */
import { printable } from "../base/printable.ts";

/** Rows under headings. Lines end with CR LF. */
export function renderCsv(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return [headings, ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");
}

function cellOf(text: string): string {
  const shown = printable(text);
  const safe = /^[=+\-@\t]/.test(shown) ? `'${shown}` : shown;
  return /[",\r\n']/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
