/**
 * Sample lists (sorted, selected, filtered, empty, exported), bar charts, and a calendar.
 *
 * @module
 */
import { useState } from "react";
import { Bars } from "../../components/bars.tsx";
import { BulkBar } from "../../components/bulk-bar.tsx";
import { Calendar } from "../../components/calendar.tsx";
import { Chips } from "../../components/chips.tsx";
import type { CsvColumn } from "../../components/csv.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import type { Day } from "../../components/day-text.ts";
import { ExportButton } from "../../components/export-button.tsx";
import { ExportPages } from "../../components/export-pages.tsx";
import { FilteredTable } from "../../components/filtered-table.tsx";
import { SearchBox } from "../../components/search-box.tsx";
import { ShareBar } from "../../components/share-bar.tsx";
import { ViewButton } from "../../components/view-button.tsx";

interface Row {
  readonly id: string;
  readonly name: string;
  readonly count: number;
}

const ROWS: readonly Row[] = [
  { id: "web1", name: "web1", count: 12 },
  { id: "db1", name: "a name that is much longer than names are", count: 1_204 },
];
const COLUMNS: readonly Column<Row>[] = [
  { id: "name", header: "Name", sortBy: ({ name }) => name, cell: ({ name }) => name },
  { id: "count", header: "Count", numeric: true, sortBy: ({ count }) => count, cell: ({ count }) => count },
];
const CSV: readonly CsvColumn<Row>[] = [["name", ({ name }) => name]];
const DAY: Day = { year: 2026, month: 11, date: 30 };
const rowId = ({ id }: Row): string => id;
const nameOf = ({ name }: Row): string => name;

export function ListSamples() {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set(["web1"]));
  const [typed, setTyped] = useState("");
  const [day, setDay] = useState<Day>(DAY);
  return (
    <>
      <BulkBar
        {...{ what: "rows", rows: ROWS, selected, rowId, nameOf, onSelected: setSelected }}
        actions={[{ label: "Do it", done: "done", applies: () => true, run: async () => {} }]}
      />
      <DataTable
        {...{ rows: ROWS, rowId, columns: COLUMNS, selected, onSelected: setSelected }}
        label="Selected rows"
      />
      <DataTable {...{ rows: [], rowId, columns: COLUMNS }} label="No rows" />
      <FilteredTable
        {...{ rows: ROWS, rowId, columns: COLUMNS, texts: ({ name }: Row) => [name] }}
        label="Filtered rows"
        filterLabel="Filter rows"
        csv={{ what: "rows", columns: CSV }}
      />
      <SearchBox label="Search" value={typed} onValue={setTyped} shown={2} total={1_204} />
      <div className="flex flex-wrap gap-2">
        <ExportButton what="rows" columns={CSV} rows={ROWS} />
        <ExportPages
          what="rows"
          file="rows.csv"
          columns={CSV}
          read={async () => ({ items: ROWS, cursor: null })}
        />
        <ViewButton view={{ columns: {}, saved: [] }} onView={() => {}} columns={COLUMNS} terms={{}} />
        <Chips values={["deploy", "www"]} onRemove={() => {}} mono />
      </div>
      <Bars label="By the hour" counts={[0, 3, 12, 1]} nameOf={(i) => `${i}:00`} />
      <Bars label="Refused, by the hour" counts={[0, 1, 0, 4]} nameOf={(i) => `${i}:00`} tone="bad" />
      <ShareBar
        shares={[
          { name: "done", count: 3, ground: "bg-good" },
          { name: "failed", count: 1, ground: "bg-bad" },
        ]}
      />
      <Calendar day={day} today={DAY} onDay={setDay} />
    </>
  );
}
