/**
 * Groups to choose from, by checking them. `All` is not among them: everything is in it.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { reading } from "../api/queries.ts";
import { CheckField, CONTROL } from "./field.tsx";
import { filtered } from "./filtered.ts";
import { Loaded } from "./loaded.tsx";

/** From this many on there is a box to filter them. */
const FILTER_FROM = 8;

interface GroupPickerProps {
  readonly label: string;
  readonly chosen: ReadonlySet<string>;
  readonly onChosen: (chosen: ReadonlySet<string>) => void;
}

export function GroupPicker({ label, chosen, onChosen }: GroupPickerProps) {
  const groups = useQuery(reading("GET /api/groups"));
  const [typed, setTyped] = useState("");
  const toggle = (id: string, checked: boolean): void => {
    const next = new Set(chosen);
    if (checked) next.add(id);
    else next.delete(id);
    onChosen(next);
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
              {named.length < FILTER_FROM ? null : (
                <input
                  aria-label="Filter groups"
                  placeholder="Filter groups"
                  value={typed}
                  onChange={(event) => setTyped(event.target.value)}
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
