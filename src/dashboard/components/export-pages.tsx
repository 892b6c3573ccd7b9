/**
 * Exports everything that matches a filter, read from the server page by page.
 *
 * @module
 */
import { useState } from "react";
import { saveFile } from "../browser/save-file.ts";
import { Button } from "./button.tsx";
import { csvOf } from "./csv.ts";
import type { Csv } from "./export-button.tsx";
import { useToast } from "./toasts.tsx";

const PAGE = "1000";
const ROWS_MAX = 50_000;

/** Reads one page: the first if there is no cursor. */
type ReadPage<T> = (paging: { readonly limit: string; readonly cursor?: string }) => Promise<ItemsPage<T>>;

interface ItemsPage<T> {
  readonly items: readonly T[];
  /** Null on the last page. */
  readonly cursor: string | null;
}

interface ExportPagesProps<T> extends Csv<T> {
  readonly file: string;
  readonly read: ReadPage<T>;
}

export function ExportPages<T>({ what, file, columns, read }: ExportPagesProps<T>) {
  const tell = useToast();
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      const { rows, isWhole } = await readAll(read);
      saveFile(file, csvOf(columns, rows), "text/csv");
      const count = rows.length.toLocaleString("en");
      tell(isWhole ? `Exported ${count} ${what}.` : `Exported the newest ${count} ${what}.`);
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

async function readAll<T>(read: ReadPage<T>): Promise<{ rows: T[]; isWhole: boolean }> {
  const rows: T[] = [];
  let cursor: string | null = null;
  while (rows.length < ROWS_MAX) {
    const page: ItemsPage<T> = await read({ limit: PAGE, ...(cursor === null ? {} : { cursor }) });
    rows.push(...page.items);
    if (page.cursor === null) return { rows, isWhole: true };
    cursor = page.cursor;
  }
  return { rows, isWhole: false };
}
