/**
 * The view of a list: saved filters to go to, saving the current one, and the columns to show.
 *
 * @module
 */
import { Link } from "@tanstack/react-router";
import { SlidersHorizontal, Trash2 } from "lucide-react";
import { useId, useMemo, useState } from "react";
import { Button, IconButton } from "./button.tsx";
import { FormDialog } from "./dialog.tsx";
import { Checkbox, TextField } from "./field.tsx";
import {
  chosenColumns,
  type ListView,
  readListView,
  VIEW_NAME_MAX,
  VIEWS_MAX,
  withoutSaved,
  withSaved,
  writeListView,
} from "./list-view.ts";

interface ViewColumn {
  readonly id: string;
  readonly header: string;
  readonly isActions?: boolean;
  readonly from?: "md" | "lg" | "xl";
}

/** The columns of a list as chosen, and what its `ViewButton` needs. `list` names it in this browser. */
export function useListView<C extends ViewColumn>(list: string, columns: readonly C[]) {
  const [view, setView] = useState(() => readListView(list));
  const put = (next: ListView): void => {
    setView(next);
    writeListView(list, next);
  };
  // The same array for the same view, so that rows are not rendered again for it.
  const shown = useMemo(() => chosenColumns(columns, view), [columns, view]);
  return { shown, button: { view, onView: put, columns } };
}

interface ViewButtonProps {
  readonly view: ListView;
  readonly onView: (view: ListView) => void;
  readonly columns: readonly ViewColumn[];
  /** The filter in the address now. */
  readonly terms: Readonly<Record<string, string>>;
}

export function ViewButton({ view, onView, columns, terms }: ViewButtonProps) {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const typed = name.trim();
  const isFull = view.saved.length >= VIEWS_MAX && !view.saved.some((one) => one.name === typed);
  const canSave = typed !== "" && !isFull;
  const save = (): void => {
    onView(withSaved(view, { name: typed, terms }));
    setName("");
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <SlidersHorizontal size={16} aria-hidden="true" />
        View
      </Button>
      <FormDialog
        open={open}
        onOpenChange={setOpen}
        title="View"
        about="Views are kept in this browser. To share a filter, share the link to this page."
        submit="Close"
        onSubmit={async () => (canSave ? save() : undefined)}
        isOnlyShown
      >
        <SavedViews view={view} onView={onView} onGone={() => setOpen(false)} />
        <div className="flex items-end gap-2">
          <div className="min-w-0 flex-1">
            <TextField
              label="Save this filter as"
              value={name}
              onValue={setName}
              maxLength={VIEW_NAME_MAX}
              problem={isFull && typed !== "" ? `At most ${VIEWS_MAX}: remove one first.` : null}
            />
          </div>
          <Button onClick={save} disabled={!canSave}>
            Save
          </Button>
        </div>
        <Columns view={view} onView={onView} columns={columns} />
      </FormDialog>
    </>
  );
}

interface SavedViewsProps {
  readonly view: ListView;
  readonly onView: (view: ListView) => void;
  readonly onGone: () => void;
}

function SavedViews({ view, onView, onGone }: SavedViewsProps) {
  if (view.saved.length === 0) return null;
  return (
    <ul aria-label="Saved views" className="flex flex-col rounded-md border border-line">
      {view.saved.map(({ name, terms }) => (
        <li key={name} className="flex items-center gap-2 border-line px-3 py-1 not-first:border-t">
          <Link
            to="."
            search={terms as never}
            onClick={onGone}
            className="flex min-h-8 min-w-0 flex-1 items-center font-medium text-accent hover:underline"
          >
            <span className="truncate">{name}</span>
          </Link>
          <IconButton label={`Remove the view ${name}`} onClick={() => onView(withoutSaved(view, name))}>
            <Trash2 size={16} aria-hidden="true" />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}

function Columns({ view, onView, columns }: Pick<ViewButtonProps, "view" | "onView" | "columns">) {
  const own = useId();
  // The first column names the row, and the last may hold its actions: neither can be left out.
  const choosable = columns.slice(1).filter(({ isActions }) => isActions !== true);
  if (choosable.length === 0) return null;
  return (
    <fieldset>
      <legend className="mb-1 font-medium">Columns</legend>
      <div className="grid grid-cols-2 gap-x-4 max-sm:grid-cols-1">
        {choosable.map(({ id, header }) => (
          <div key={id} className="flex min-h-8 items-center gap-2 pointer-coarse:min-h-11">
            <Checkbox
              id={`${own}-${id}`}
              checked={view.columns[id] ?? true}
              onChecked={(is) => onView({ ...view, columns: { ...view.columns, [id]: is } })}
            />
            <label htmlFor={`${own}-${id}`}>{header}</label>
          </div>
        ))}
      </div>
      <p className="mt-1 text-soft text-xs">
        Narrow windows leave out some of them, unless you choose those here.
      </p>
    </fieldset>
  );
}
