/**
 * Rows as comma-separated values (RFC 4180). Cells that a spreadsheet would take for formulas are made text.
 *
 * @module
 */
export type CsvColumn<T> = readonly [heading: string, value: (row: T) => string | number | null];

/** Headings and rows. Each line ends in CR LF. */
export function csvOf<T>(columns: readonly CsvColumn<T>[], rows: readonly T[]): string {
  const cells = rows.map((row) => columns.map(([, value]) => String(value(row) ?? "")));
  return [columns.map(([heading]) => heading), ...cells]
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
