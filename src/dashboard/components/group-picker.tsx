/**
 * A list of groups with checkboxes. `All` is left out, because everything is in it.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { reading } from "../api/queries.ts";
import { CheckField, CONTROL } from "./field.tsx";
import { filtered } from "./filtered.ts";
import { Loaded } from "./loaded.tsx";

/** A filter box appears from this many groups on. */
const FILTER_FROM = 8;

interface GroupPickerProps {
  readonly label: string;
  readonly chosen: ReadonlySet<string>;
  readonly onChosen: (chosen: ReadonlySet<string>) => void;
  /**
   * Receives the only group that matches the filter, and null otherwise, so that typing a name and Enter is
   * enough. If given, the filter box is always shown.
   */
  readonly onOnly?: (id: string | null) => void;
  /** Id of the form that Enter submits. Absent for the enclosing form. */
  readonly form?: string;
}

export function GroupPicker({ label, chosen, onChosen, onOnly, form }: GroupPickerProps) {
  const groups = useQuery(reading("GET /api/groups"));
  const [typed, setTyped] = useState("");
  const toggle = (id: string, checked: boolean): void => {
    const next = new Set(chosen);
    if (checked) next.add(id);
    else next.delete(id);
    onChosen(next);
  };
  const type = (text: string, named: readonly { readonly id: string; readonly name: string }[]): void => {
    setTyped(text);
    const left = text.trim() === "" ? [] : filtered(named, text, ({ name }) => [name]);
    onOnly?.(left.length === 1 ? (left[0]?.id ?? null) : null);
  };
  return (
    <fieldset>
      <legend className="mb-1 font-medium">{label}</legend>
      <Loaded query={groups} rows={2}>
        {(all) => {
          const named = all.filter(({ name }) => name !== "All");
          if (named.length === 0) return <p className="text-soft">There is no group yet.</p>;
          return (
            <>
              {named.length < FILTER_FROM && onOnly === undefined ? null : (
                <input
                  aria-label="Filter groups"
                  placeholder="Filter groups"
                  value={typed}
                  form={form}
                  // biome-ignore lint/a11y/noAutofocus: it was opened to choose by name
                  autoFocus={onOnly !== undefined}
                  onChange={(event) => type(event.target.value, named)}
                  className={`${CONTROL} mb-2`}
                />
              )}
              <div className="flex max-h-48 flex-col gap-1 overflow-y-auto rounded-md border border-line p-2">
                {filtered(named, typed, ({ name }) => [name]).map(({ id, name }) => (
                  <CheckField
                    key={id}
                    label={name}
                    checked={chosen.has(id)}
                    onChecked={(checked) => toggle(id, checked)}
                  />
                ))}
              </div>
            </>
          );
        }}
      </Loaded>
    </fieldset>
  );
}
