/**
 * Output to stdout: only the command's result, as JSON for programs or columns for people.
 *
 * @module
 */
import { printable } from "../base/printable.ts";

/** Writes `text` and waits until the system has it, so that a process exit loses nothing. */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** Prints a JSON value, on one line or indented for people. */
export function printJson(value: unknown, layout: "line" | "set" = "set"): Promise<void> {
  return print(`${tameJson(layout === "line" ? JSON.stringify(value) : JSON.stringify(value, null, 2))}\n`);
}

/**
 * Escapes characters in JSON that could control a terminal. JSON allows more of them than `printable` does.
 */
export function tameJson(json: string): string {
  return json.replace(
    /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Prints rows under headings, in columns two spaces apart and as wide as their widest cell. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
  return print(renderTable(headings, rows));
}

/** The text of `printTable`. */
export function renderTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows.map((row) => row.map((cell) => printable(cell) || "-"))];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
