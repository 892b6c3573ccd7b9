/**
 * Names such as groups, machines or posture checks, picked from a searchable list.
 *
 * @module
 */
import { Command } from "cmdk";
import { Check, Plus } from "lucide-react";
import { Popover } from "radix-ui";
import { useId, useState } from "react";
import { CHIPS_BOX, Chips } from "./chips.tsx";
import { classes } from "./class-names.ts";
import { described, FieldFrame, type FieldProps } from "./field.tsx";

export interface NameChoice {
  readonly name: string;
  /** Shown beside the name, such as its kind or how many it has. */
  readonly note?: string;
}

interface NamesFieldProps extends FieldProps {
  readonly values: readonly string[];
  readonly onValues: (values: string[]) => void;
  readonly choices: readonly NameChoice[];
  /** Label of the button that opens the list. */
  readonly add?: string;
  /** Whether a picked name replaces the previous one. */
  readonly single?: boolean;
}

/** The list shows at most this many. Typing finds the others. */
const SHOWN_MAX = 200;

export function NamesField(props: NamesFieldProps) {
  const { label, hint, problem, values, onValues, add = "Add", single = false } = props;
  const id = useId();
  const field = { label, ...(hint === undefined ? {} : { hint }), problem: problem ?? null };
  const toggle = (name: string): void => {
    if (values.includes(name)) onValues(values.filter((one) => one !== name));
    else onValues(single ? [name] : [...values, name]);
  };
  return (
    <FieldFrame id={id} {...field}>
      <div className={CHIPS_BOX}>
        <Chips values={values} onRemove={(name) => onValues(values.filter((one) => one !== name))} />
        <NameList {...props} toggle={toggle}>
          <button
            {...described(id, field)}
            id={id}
            type="button"
            aria-label={`${label}: ${single && values.length > 0 ? "Another" : add}`}
            className="inline-flex min-h-7 items-center gap-1 rounded-sm px-2 text-accent hover:bg-sunken pointer-coarse:min-h-11"
          >
            <Plus size={14} aria-hidden="true" />
            {single && values.length > 0 ? "Another" : add}
          </button>
        </NameList>
      </div>
    </FieldFrame>
  );
}

interface NameListProps extends NamesFieldProps {
  readonly toggle: (name: string) => void;
  readonly children: React.ReactNode;
}

function NameList({ label, values, choices, single = false, toggle, children }: NameListProps) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const words = typed.trim().toLowerCase();
  const shown = choices.filter(({ name }) => name.toLowerCase().includes(words)).slice(0, SHOWN_MAX);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>{children}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={6}
          collisionPadding={8}
          aria-label={label}
          className="appear z-50 w-72 max-w-[calc(100vw-1rem)] rounded-md border border-line bg-raised shadow-lift"
        >
          <Command label={label} shouldFilter={false} loop>
            <Command.Input
              value={typed}
              onValueChange={setTyped}
              placeholder="Type a part of the name"
              className="h-10 w-full border-line border-b bg-transparent px-3 outline-none placeholder:text-soft"
            />
            <Command.List className="max-h-64 overflow-y-auto p-1">
              <Command.Empty className="px-2.5 py-5 text-center text-soft">
                Nothing by that name.
              </Command.Empty>
              {shown.map(({ name, note }) => (
                <Command.Item
                  key={name}
                  value={name}
                  onSelect={() => {
                    toggle(name);
                    setTyped("");
                    if (single) setOpen(false);
                  }}
                  className="flex min-h-9 cursor-pointer items-center gap-2 rounded-sm px-2.5 data-[selected=true]:bg-accent-ground pointer-coarse:min-h-11"
                >
                  <Check
                    size={14}
                    aria-hidden="true"
                    className={classes("shrink-0", !values.includes(name) && "opacity-0")}
                  />
                  <span className="min-w-0 flex-1 truncate">
                    <bdi>{name}</bdi>
                  </span>
                  {note === undefined ? null : <span className="shrink-0 text-soft text-xs">{note}</span>}
                </Command.Item>
              ))}
            </Command.List>
          </Command>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
