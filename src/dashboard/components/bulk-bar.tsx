/**
 * The bar of actions on the selected rows. Failures are reported by row, and those rows stay selected.
 *
 * @module
 */
import { X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button, IconButton } from "./button.tsx";
import { ConfirmDialog } from "./dialog.tsx";
import { useToast } from "./toasts.tsx";

export interface BulkAction<T> {
  readonly label: string;
  /** Past participle for the report, such as `blocked`. */
  readonly done: string;
  /** What ends, shown in a confirmation first. Absent if the action can be undone. */
  readonly loss?: string;
  /** Whether the action applies to a selected row. */
  readonly applies: (row: T) => boolean;
  readonly run: (row: T) => Promise<unknown>;
}

interface BulkBarProps<T> {
  /** Plural name of the rows, such as `machines`. */
  readonly what: string;
  readonly rows: readonly T[];
  readonly selected: ReadonlySet<string>;
  readonly rowId: (row: T) => string;
  readonly nameOf: (row: T) => string;
  readonly onSelected: (selected: ReadonlySet<string>) => void;
  readonly actions: readonly BulkAction<T>[];
  /** Further controls for the selection. */
  readonly children?: ReactNode;
}

/** At most this many requests run at once. */
const AT_ONCE = 8;
const FAILURES_TOLD = 3;

export function BulkBar<T>(props: BulkBarProps<T>) {
  const { what, rows, selected, rowId, onSelected, actions } = props;
  const [asked, setAsked] = useState<BulkAction<T> | null>(null);
  const { isRunning, run } = useBulk(props);
  const chosen = rows.filter((row) => selected.has(rowId(row)));
  if (chosen.length === 0) return null;
  const perform = (action: BulkAction<T>): Promise<void> => run(action, chosen.filter(action.applies));
  return (
    <div
      role="toolbar"
      aria-label={`Selected ${what}`}
      className="mb-3 flex flex-wrap items-center gap-2 rounded-md border border-accent bg-accent-ground py-1.5 pr-1.5 pl-3"
    >
      <span role="status" className="mr-2 font-medium tabular-nums">
        {chosen.length.toLocaleString("en")} selected
      </span>
      {actions
        .filter((action) => chosen.some(action.applies))
        .map((action) => (
          <Button
            key={action.label}
            size="small"
            disabled={isRunning}
            onClick={() => (action.loss === undefined ? void perform(action) : setAsked(action))}
          >
            {action.label}
          </Button>
        ))}
      {props.children}
      <span className="flex-1" />
      <IconButton label="Clear the selection" onClick={() => onSelected(new Set())}>
        <X size={16} aria-hidden="true" />
      </IconButton>
      <ConfirmDialog
        open={asked !== null}
        onOpenChange={() => setAsked(null)}
        title={`${asked?.label ?? ""} ${chosen.length.toLocaleString("en")} ${what}?`}
        verb={asked?.label ?? ""}
        onConfirm={async () => (asked === null ? undefined : perform(asked))}
      >
        <p>{asked?.loss}</p>
      </ConfirmDialog>
    </div>
  );
}

function useBulk<T>({ what, rowId, nameOf, onSelected }: BulkBarProps<T>) {
  const [isRunning, setIsRunning] = useState(false);
  const tell = useToast();
  const run = async (action: BulkAction<T>, rows: readonly T[]): Promise<void> => {
    setIsRunning(true);
    const failed: T[] = [];
    const rest = [...rows];
    const work = async (): Promise<void> => {
      for (let row = rest.shift(); row !== undefined; row = rest.shift()) {
        const one = row;
        await action.run(one).catch(() => failed.push(one));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    setIsRunning(false);
    onSelected(new Set(failed.map(rowId)));
    const done = rows.length - failed.length;
    if (done > 0) tell(`${done.toLocaleString("en")} ${what} ${action.done}.`);
    if (failed.length > 0) {
      const names = failed.slice(0, FAILURES_TOLD).map(nameOf).join(", ");
      const more = failed.length > FAILURES_TOLD ? ` and ${failed.length - FAILURES_TOLD} more` : "";
      tell(`Not ${action.done}: ${names}${more}.`);
    }
  };
  return { isRunning, run };
}
