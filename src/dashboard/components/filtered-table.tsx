/**
 * A table with the box that filters it, for lists that are whole in the page.
 *
 * @module
 */
import type { RowData } from "@tanstack/react-table";
import { useState } from "react";
import { type BulkAction, BulkBar } from "./bulk-bar.tsx";
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
  /** What can be done with many of them. Absent: they cannot be selected. */
  readonly bulk?: Bulk<T>;
}

export interface Bulk<T> {
  /** What they are called: `devices`. */
  readonly what: string;
  readonly nameOf: (row: T) => string;
  readonly actions: readonly BulkAction<T>[];
}

export function FilteredTable<T extends RowData>(props: FilteredTableProps<T>) {
  const { label, filterLabel, rows, rowId, columns, texts, bulk } = props;
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
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
      {bulk === undefined ? null : (
        <BulkBar {...bulk} rows={shown} selected={selected} rowId={rowId} onSelected={setSelected} />
      )}
      <DataTable
        label={label}
        rows={shown}
        rowId={rowId}
        columns={columns}
        {...(bulk === undefined || bulk.actions.length === 0 ? {} : { selected, onSelected: setSelected })}
      />
    </>
  );
}
