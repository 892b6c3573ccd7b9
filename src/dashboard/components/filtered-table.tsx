/**
 * A table with the box that filters it, for lists that are whole in the page.
 *
 * @module
 */
import type { RowData } from "@tanstack/react-table";
import { useState } from "react";
import { type Column, DataTable } from "./data-table.tsx";
import { filtered } from "./filtered.ts";
import { SearchBox } from "./search-box.tsx";

interface FilteredTableProps<T extends RowData> {
  readonly label: string;
  /** What the box is called: `Filter devices`. */
  readonly filterLabel: string;
  readonly rows: readonly T[];
  readonly rowId: (row: T) => string;
  readonly columns: readonly Column<T>[];
  /** What of a row is searched. */
  readonly texts: (row: T) => readonly string[];
}

export function FilteredTable<T extends RowData>(props: FilteredTableProps<T>) {
  const { label, filterLabel, rows, rowId, columns, texts } = props;
  const [typed, setTyped] = useState("");
  const shown = filtered(rows, typed, texts);
  return (
    <>
      <SearchBox
        label={filterLabel}
        value={typed}
        onValue={setTyped}
        shown={shown.length}
        total={rows.length}
      />
      <DataTable label={label} rows={shown} rowId={rowId} columns={columns} />
    </>
  );
}
