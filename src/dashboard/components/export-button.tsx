/**
 * Exports the rows that a list shows as a CSV file.
 *
 * @module
 */
import { saveFile } from "../browser/save-file.ts";
import { Button } from "./button.tsx";
import { type CsvColumn, csvOf } from "./csv.ts";
import { useToast } from "./toasts.tsx";

export interface Csv<T> {
  /** Plural name of the rows, such as `people`. It also names the file. */
  readonly what: string;
  readonly columns: readonly CsvColumn<T>[];
}

interface ExportButtonProps<T> extends Csv<T> {
  readonly rows: readonly T[];
}

export function ExportButton<T>({ what, columns, rows }: ExportButtonProps<T>) {
  const tell = useToast();
  return (
    <Button
      disabled={rows.length === 0}
      onClick={() => {
        saveFile(`${what.replaceAll(" ", "-")}.csv`, csvOf(columns, rows), "text/csv");
        tell(`Exported ${rows.length.toLocaleString("en")} ${what}.`);
      }}
    >
      Export CSV
    </Button>
  );
}
