/**
 * The only table: sortable by its headers, with selectable rows, rendering only visible rows of long lists,
 * and turned into cards in narrow windows. Rows never move by themselves: they follow the data or the chosen
 * column.
 *
 * @module
 */
import {
  type ColumnDef,
  createSortedRowModel,
  type Row,
  type RowData,
  type RowSelectionState,
  rowSelectionFeature,
  rowSortingFeature,
  type SortingState,
  sortFn_basic,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { memo, type ReactNode, useLayoutEffect, useMemo, useRef, useState } from "react";
import { classes } from "./class-names.ts";
import { Checkbox } from "./field.tsx";
import { type KeptSorting, useSorting } from "./use-sorting.tsx";

const features = tableFeatures({
  rowSortingFeature,
  rowSelectionFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic },
});
type Features = typeof features;

/** Tables with fewer rows than this render all of them. */
const VIRTUAL_FROM = 80;
const ROW_PX = 41;

export interface Column<T> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: T) => ReactNode;
  /** The sort key. Absent if the table cannot be sorted by this column. */
  readonly sortBy?: (row: T) => string | number;
  /** Hides the column in windows narrower than this. */
  readonly from?: "md" | "lg" | "xl";
  readonly numeric?: boolean;
  /** Holds buttons and menus, which have no label in a card. */
  readonly isActions?: boolean;
}

interface DataTableProps<T extends RowData> {
  /** What the table lists, for screen readers. */
  readonly label: string;
  readonly rows: readonly T[];
  readonly rowId: (row: T) => string;
  readonly columns: readonly Column<T>[];
  /** Absent if rows cannot be selected. */
  readonly selected?: ReadonlySet<string>;
  readonly onSelected?: (selected: ReadonlySet<string>) => void;
  /** The sorting, where the address keeps it. Absent: the table keeps it by itself. */
  readonly sort?: KeptSorting;
}

const FROM: Record<string, string> = { md: "max-md:hidden", lg: "max-lg:hidden", xl: "max-xl:hidden" };

export function DataTable<T extends RowData>(props: DataTableProps<T>) {
  const { rows: data, columns, onSelected } = props;
  const { table, sorting, setSorting, rowSelection } = useModel(props);
  const rows = table.getRowModel().rows as Row<Features, T>[];
  const { body, before, after, shown, measure } = useShown(rows);
  const all = table.getIsAllRowsSelected() || (table.getIsSomeRowsSelected() ? "indeterminate" : false);
  const canSelect = onSelected !== undefined;
  return (
    <div className="rounded-lg border border-line bg-card max-sm:border-0 max-sm:bg-transparent">
      <table
        aria-label={props.label}
        aria-rowcount={data.length + 1}
        className="w-full border-separate border-spacing-0 max-sm:block"
      >
        <thead className="sticky -top-px z-10 max-sm:hidden [&_th]:bg-card">
          <tr>
            {canSelect ? (
              <th className="w-11 rounded-tl-lg border-line border-b px-2.5">
                <Checkbox
                  aria-label="Select all"
                  checked={all}
                  onChecked={(checked) => table.toggleAllRowsSelected(checked)}
                />
              </th>
            ) : null}
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sorting={sorting} onSorting={setSorting} />
            ))}
          </tr>
        </thead>
        <tbody ref={body} className="max-sm:flex max-sm:flex-col max-sm:gap-2">
          {before > 0 ? <tr style={{ height: before }} /> : null}
          {shown.map(({ row, index }) => (
            <BodyRow
              key={row.id}
              row={row}
              index={index}
              columns={columns}
              measure={measure}
              isSelected={canSelect ? rowSelection[row.id] === true : null}
            />
          ))}
          {after > 0 ? <tr style={{ height: after }} /> : null}
        </tbody>
      </table>
    </div>
  );
}

function useModel<T extends RowData>({
  rows: data,
  columns,
  rowId,
  selected,
  onSelected,
  sort,
}: DataTableProps<T>) {
  const { sorting, setSorting } = useSorting(sort, columns);
  const defs = useMemo(() => columns.map(asColumnDef), [columns]);
  const rowSelection = useMemo<RowSelectionState>(
    () => Object.fromEntries([...(selected ?? [])].map((id) => [id, true])),
    [selected],
  );
  const table = useTable({
    features,
    data: data as T[],
    columns: defs,
    getRowId: rowId,
    state: { sorting, rowSelection },
    enableRowSelection: onSelected !== undefined,
    onRowSelectionChange: (update) => {
      const next = typeof update === "function" ? update(rowSelection) : update;
      onSelected?.(new Set(Object.keys(next).filter((id) => next[id])));
    },
  });
  return { table, sorting, setSorting, rowSelection };
}

interface BodyRowProps<T extends RowData> {
  readonly row: Row<Features, T>;
  readonly index: number;
  readonly columns: readonly Column<T>[];
  readonly measure: ((element: Element | null) => void) | undefined;
  /** Null if rows cannot be selected. */
  readonly isSelected: boolean | null;
}

/** Rendered again only when its own data changes: scrolling renders the rows that come into view. */
const BodyRow = memo(BodyRowNow) as typeof BodyRowNow;

function BodyRowNow<T extends RowData>({ row, index, columns, measure, isSelected }: BodyRowProps<T>) {
  return (
    <tr
      ref={measure}
      data-index={index}
      aria-rowindex={index + 2}
      className={classes(
        "border-line hover:bg-sunken sm:[&>td]:border-line sm:[&>td]:border-b sm:last:[&>td]:border-b-0",
        "max-sm:block max-sm:rounded-lg max-sm:border max-sm:bg-card max-sm:p-3",
        isSelected === true && "bg-accent-ground",
      )}
    >
      {isSelected === null ? null : (
        <td className="w-11 px-2.5 max-sm:float-right max-sm:w-auto max-sm:px-0">
          <Checkbox
            aria-label="Select"
            checked={isSelected}
            onChecked={(checked) => row.toggleSelected(checked)}
          />
        </td>
      )}
      {columns.map((column, i) => (
        <BodyCell key={column.id} column={column} row={row.original} isTitle={i === 0} />
      ))}
    </tr>
  );
}

function asColumnDef<T extends RowData>({ id, sortBy }: Column<T>): ColumnDef<Features, T> {
  return {
    id,
    accessorFn: (row: T) => sortBy?.(row) ?? "",
    enableSorting: sortBy !== undefined,
    sortFn: "basic",
  } as ColumnDef<Features, T>;
}

interface HeaderCellProps<T> {
  readonly column: Column<T>;
  readonly sorting: SortingState;
  readonly onSorting: (sorting: SortingState) => void;
}

function HeaderCell<T>({ column, sorting, onSorting }: HeaderCellProps<T>) {
  const [now] = sorting;
  const isSorted = now?.id === column.id;
  const side = column.numeric === true ? "text-right" : "text-left";
  const look = classes(
    "h-10 border-line border-b px-3 font-medium text-soft text-xs whitespace-nowrap first:rounded-tl-lg last:rounded-tr-lg",
    side,
    FROM[column.from ?? ""],
  );
  if (column.sortBy === undefined) {
    return (
      <th scope="col" className={look}>
        {column.isActions === true ? <span className="sr-only">{column.header}</span> : column.header}
      </th>
    );
  }
  const Arrow = now?.desc === true ? ArrowDown : ArrowUp;
  return (
    <th scope="col" aria-sort={isSorted ? (now.desc ? "descending" : "ascending") : "none"} className={look}>
      <button
        type="button"
        onClick={() => onSorting([{ id: column.id, desc: isSorted && !now.desc }])}
        className={classes(
          "inline-flex min-h-8 items-center gap-1 hover:text-ink",
          column.numeric === true && "flex-row-reverse",
        )}
      >
        {column.header}
        <Arrow size={13} aria-hidden="true" className={isSorted ? "" : "opacity-0"} />
      </button>
    </th>
  );
}

interface BodyCellProps<T> {
  readonly column: Column<T>;
  readonly row: T;
  /** Whether the cell is the title of the card in narrow windows. A title has no label. */
  readonly isTitle: boolean;
}

function BodyCell<T>({ column, row, isTitle }: BodyCellProps<T>) {
  const isPlain = isTitle || column.isActions === true;
  return (
    <td
      data-label={isPlain ? undefined : column.header}
      className={classes(
        "h-10 px-3 py-1 max-sm:flex max-sm:h-auto max-sm:items-baseline max-sm:gap-3 max-sm:px-0",
        "max-sm:empty:hidden!",
        column.isActions === true && "w-px whitespace-nowrap text-right max-sm:w-auto max-sm:justify-end",
        isTitle && "max-sm:font-medium",
        !isPlain &&
          "max-sm:before:w-28 max-sm:before:shrink-0 max-sm:before:text-soft max-sm:before:content-[attr(data-label)]",
        column.numeric === true && "text-right tabular-nums max-sm:text-left",
        FROM[column.from ?? ""],
      )}
    >
      {column.cell(row)}
    </td>
  );
}

/** The rows to render, and the height of those above and below them. */
function useShown<T extends RowData>(rows: readonly Row<Features, T>[]) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => {
    const scroller = scrollerOf(body.current);
    if (body.current === null || scroller === null) return;
    const top = body.current.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    setMargin(top + scroller.scrollTop);
  }, []);
  const isVirtual = rows.length >= VIRTUAL_FROM;
  const virtualizer = useVirtualizer({
    count: rows.length,
    enabled: isVirtual,
    getScrollElement: () => scrollerOf(body.current),
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.id ?? index,
    scrollMargin: margin,
    overscan: 12,
  });
  if (!isVirtual) {
    const shown = rows.map((row, index) => ({ row, index }));
    return { body, before: 0, after: 0, shown, measure: undefined };
  }
  const items = virtualizer.getVirtualItems();
  const shown = items.flatMap(({ index }) => {
    const row = rows[index];
    return row === undefined ? [] : [{ row, index }];
  });
  const before = (items[0]?.start ?? margin) - margin;
  const after = virtualizer.getTotalSize() - ((items.at(-1)?.end ?? margin) - margin);
  return { body, before, after, shown, measure: virtualizer.measureElement };
}

function scrollerOf(element: Element | null): HTMLElement | null {
  return element?.closest<HTMLElement>("[data-scroller]") ?? document.querySelector("[data-scroller]");
}
