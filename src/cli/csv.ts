/**
 * Comma-separated values (RFC 4180), with what a spreadsheet would take for a formula made text.
 *
 * @module
 */
import { printable } from "../base/printable.ts";

/** Rows under headings, lines ended by CR LF. */
export function renderCsv(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return [headings, ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");
}

function cellOf(text: string): string {
  const shown = printable(text);
  const safe = /^[=+\-@\t]/.test(shown) ? `'${shown}` : shown;
  return /[",\r\n']/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
