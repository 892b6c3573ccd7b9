/**
 * A table with a filter, for lists that are loaded completely. The URL carries the filter, and the rows shown
 * can be exported.
 *
 * @module
 */
import type { RowData } from "@tanstack/react-table";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { ChosenTerm, ListTerms } from "../terms/list-terms.ts";
import { type BulkAction, BulkBar } from "./bulk-bar.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { type Csv, ExportButton } from "./export-button.tsx";
import { SelectField } from "./field.tsx";
import { filtered } from "./filtered.ts";
import { Empty } from "./notice.tsx";
import { SearchBox } from "./search-box.tsx";
import { useListTerms } from "./use-list-terms.tsx";
import { useListView, ViewButton } from "./view-button.tsx";

interface FilteredTableProps<T extends RowData> {
  readonly label: string;
  /** Label of the filter box, such as `Filter devices`. */
  readonly filterLabel: string;
  readonly rows: readonly T[];
  readonly rowId: (row: T) => string;
  readonly columns: readonly Column<T>[];
  /** The texts of a row that the filter searches. */
  readonly texts: (row: T) => readonly string[];
  readonly filters?: readonly TableFilter<T>[];
  /** Actions on selected rows. Absent if rows cannot be selected. */
  readonly bulk?: Bulk<T>;
  readonly csv?: Csv<T>;
}

/** A choice to filter rows by. */
export interface TableFilter<T> {
  /** The term in the URL. */
  readonly name: ChosenTerm;
  readonly label: string;
  /** The option that filters nothing, such as `In every state`. */
  readonly every: string;
  readonly options: readonly FilterOption<T>[];
}

interface FilterOption<T> {
  readonly value: string;
  readonly label: string;
  readonly has: (row: T) => boolean;
}

export interface Bulk<T> {
  /** Plural name of the rows, such as `devices`. */
  readonly what: string;
  readonly nameOf: (row: T) => string;
  readonly actions: readonly BulkAction<T>[];
  /** Further controls for the selected rows. */
  readonly more?: (rows: readonly T[], clear: () => void) => ReactNode;
}

const EVERY = "every";

export function FilteredTable<T extends RowData>(props: FilteredTableProps<T>) {
  const { label, rows, rowId, columns, texts, filters = [], bulk, csv } = props;
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [terms, put] = useListTerms();
  const { typed, onTyped } = useTyped(terms.q ?? "", (q) => put({ q }));
  const shown = filtered(
    rows.filter((row) => filters.every((filter) => isChosen(filter, terms, row))),
    typed,
    texts,
  );
  const view = useListView(label, columns);
  const canSelect = bulk !== undefined && (bulk.actions.length > 0 || bulk.more !== undefined);
  const clear = (): void => setSelected(new Set());
  return (
    <>
      <SearchBox
        label={props.filterLabel}
        value={typed}
        onValue={onTyped}
        shown={shown.length}
        total={rows.length}
        end={
          <div className="flex gap-2">
            <ViewButton {...view.button} terms={withoutDialog(terms)} />
            {csv === undefined ? null : <ExportButton {...csv} rows={shown} />}
          </div>
        }
      >
        {filters.map((filter) => (
          <FilterSelect
            key={filter.name}
            filter={filter}
            chosen={terms[filter.name]}
            onChosen={(value) => put({ [filter.name]: value })}
          />
        ))}
      </SearchBox>
      {bulk === undefined ? null : (
        <BulkBar {...bulk} rows={shown} selected={selected} rowId={rowId} onSelected={setSelected}>
          {bulk.more?.(
            shown.filter((row) => selected.has(rowId(row))),
            clear,
          )}
        </BulkBar>
      )}
      {shown.length === 0 && rows.length > 0 ? (
        <Empty title="Nothing matches">Remove a filter, or type less.</Empty>
      ) : (
        <DataTable
          label={label}
          rows={shown}
          rowId={rowId}
          columns={view.shown}
          sort={{ text: terms.sort, onText: (sort) => put({ sort }) }}
          {...(canSelect ? { selected, onSelected: setSelected } : {})}
        />
      )}
    </>
  );
}

interface FilterSelectProps<T> {
  readonly filter: TableFilter<T>;
  readonly chosen: string | undefined;
  readonly onChosen: (value: string | undefined) => void;
}

function FilterSelect<T>({ filter: { label, every, options }, chosen, onChosen }: FilterSelectProps<T>) {
  return (
    <SelectField
      label={label}
      isLabelHidden
      value={options.find(({ value }) => value === chosen)?.value ?? EVERY}
      onValue={(value) => onChosen(value === EVERY ? undefined : value)}
      choices={[{ value: EVERY, label: every }, ...options]}
    />
  );
}

function withoutDialog({ do: _, ...terms }: ListTerms): Omit<ListTerms, "do"> {
  return terms;
}

function isChosen<T>({ name, options }: TableFilter<T>, terms: ListTerms, row: T): boolean {
  return options.find(({ value }) => value === terms[name])?.has(row) ?? true;
}

/** Typed text shows at once, and the URL follows. A link that changes the URL changes the box. */
function useTyped(q: string, put: (q: string) => void) {
  const [typed, setTyped] = useState(q);
  /** Texts written to the URL that have not come back from it yet. */
  const own = useRef(new Set<string>());
  useEffect(() => {
    if (!own.current.has(q)) setTyped(q);
    own.current.delete(q);
  }, [q]);
  const onTyped = (text: string): void => {
    setTyped(text);
    own.current.add(text);
    put(text);
  };
  return { typed, onTyped };
}
