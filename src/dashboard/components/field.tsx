/**
 * Form fields: a label, a control, a hint and a problem, connected for screen readers.
 *
 * @module
 */
import { Check, ChevronDown } from "lucide-react";
import { Checkbox as RadixCheckbox, Select as RadixSelect, Switch as RadixSwitch } from "radix-ui";
import { type ComponentProps, type ReactNode, useId } from "react";
import { styleNonce } from "../browser/style-nonce.ts";
import { classes } from "./class-names.ts";

export const CONTROL =
  "w-full min-h-9 rounded-md border border-edge bg-card px-3 text-ink placeholder:text-soft " +
  "aria-invalid:border-bad disabled:opacity-50 pointer-coarse:min-h-11";

export interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly problem?: string | null;
  /** Shows the label to screen readers only, where the page says it already. */
  readonly isLabelHidden?: boolean;
}

/** A label above its control, with the hint and the problem below. */
export function FieldFrame({
  id,
  label,
  hint,
  problem,
  isLabelHidden = false,
  children,
}: FieldProps & { readonly id: string; readonly children: ReactNode }) {
  return (
    <div>
      <label htmlFor={id} className={isLabelHidden ? "sr-only" : "mb-1 block font-medium"}>
        {label}
      </label>
      {children}
      {hint === undefined ? null : (
        <p id={`${id}-hint`} className="mt-1 text-soft text-xs">
          {hint}
        </p>
      )}
      {problem == null ? null : (
        <p id={`${id}-problem`} className="mt-1 text-bad text-xs">
          {problem}
        </p>
      )}
    </div>
  );
}

/** ARIA attributes that connect a control to its hint and problem. */
export function described(id: string, { hint, problem }: FieldProps) {
  const ids = [hint === undefined ? "" : `${id}-hint`, problem == null ? "" : `${id}-problem`].filter(
    Boolean,
  );
  return {
    ...(ids.length === 0 ? {} : { "aria-describedby": ids.join(" ") }),
    ...(problem == null ? {} : { "aria-invalid": true as const }),
  };
}

/** A field for one line of text. */
export function TextField({
  label,
  hint,
  problem,
  onValue,
  ...props
}: FieldProps & Omit<ComponentProps<"input">, "onChange"> & { readonly onValue: (value: string) => void }) {
  const id = useId();
  const field = { label, ...(hint === undefined ? {} : { hint }), problem: problem ?? null };
  return (
    <FieldFrame id={id} {...field}>
      <input
        autoComplete="off"
        {...props}
        {...described(id, field)}
        id={id}
        onChange={(event) => onValue(event.target.value)}
        className={classes(CONTROL, props.className)}
      />
    </FieldFrame>
  );
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** A choice of one option from a list. */
export function SelectField({
  label,
  hint,
  problem,
  isLabelHidden = false,
  value,
  onValue,
  choices,
  className,
}: FieldProps & {
  readonly className?: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly choices: readonly Choice[];
}) {
  const id = useId();
  const field = { label, ...(hint === undefined ? {} : { hint }), problem: problem ?? null };
  return (
    <FieldFrame id={id} {...field} isLabelHidden={isLabelHidden}>
      <RadixSelect.Root value={value} onValueChange={onValue}>
        <RadixSelect.Trigger
          id={id}
          {...described(id, field)}
          className={classes(CONTROL, "flex items-center justify-between gap-2 text-left", className)}
        >
          <RadixSelect.Value />
          <ChevronDown size={16} aria-hidden="true" />
        </RadixSelect.Trigger>
        <RadixSelect.Portal>
          <RadixSelect.Content
            position="popper"
            sideOffset={4}
            className="appear z-50 max-h-72 min-w-(--radix-select-trigger-width) rounded-md border border-line bg-raised p-1 shadow-lift"
          >
            <RadixSelect.Viewport nonce={styleNonce()}>
              {choices.map((choice) => (
                <RadixSelect.Item
                  key={choice.value}
                  value={choice.value}
                  className="flex min-h-8 cursor-pointer select-none items-center gap-2 rounded-sm px-2.5 outline-none data-highlighted:bg-sunken pointer-coarse:min-h-11"
                >
                  <RadixSelect.ItemText>{choice.label}</RadixSelect.ItemText>
                  <RadixSelect.ItemIndicator className="ml-auto">
                    <Check size={14} aria-hidden="true" />
                  </RadixSelect.ItemIndicator>
                </RadixSelect.Item>
              ))}
            </RadixSelect.Viewport>
          </RadixSelect.Content>
        </RadixSelect.Portal>
      </RadixSelect.Root>
    </FieldFrame>
  );
}

interface ToggleProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly checked: boolean;
  readonly onChecked: (checked: boolean) => void;
  readonly disabled?: boolean;
}

/** A checkbox, which counts when its form is submitted. */
export function CheckField({ label, hint, checked, onChecked, disabled = false }: ToggleProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5">
      <Checkbox id={id} checked={checked} onChecked={onChecked} disabled={disabled} />
      <div className="min-w-0">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {hint === undefined ? null : <p className="text-soft text-xs">{hint}</p>}
      </div>
    </div>
  );
}

/** A switch, which takes effect at once. */
export function SwitchField({ label, hint, checked, onChecked, disabled = false }: ToggleProps) {
  const id = useId();
  return (
    <div className="flex items-start justify-between gap-6">
      <div className="min-w-0">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {hint === undefined ? null : <p className="text-soft text-xs">{hint}</p>}
      </div>
      <RadixSwitch.Root
        id={id}
        checked={checked}
        onCheckedChange={onChecked}
        disabled={disabled}
        className="relative h-6 w-10 shrink-0 rounded-full border border-edge bg-sunken disabled:opacity-50 data-[state=checked]:border-accent data-[state=checked]:bg-accent"
      >
        <RadixSwitch.Thumb className="block size-4 translate-x-1 rounded-full bg-edge transition-transform data-[state=checked]:translate-x-5 data-[state=checked]:bg-on-accent" />
      </RadixSwitch.Root>
    </div>
  );
}

/** The checkbox alone. An `aria-label`, or a label for its `id`, names it. */
export function Checkbox({
  checked,
  onChecked,
  ...props
}: {
  readonly checked: boolean | "indeterminate";
  readonly onChecked: (checked: boolean) => void;
  readonly id?: string;
  readonly disabled?: boolean;
  readonly "aria-label"?: string;
}) {
  return (
    <RadixCheckbox.Root
      {...props}
      checked={checked}
      onCheckedChange={(now) => onChecked(now === true)}
      className="flex size-6 shrink-0 items-center justify-center disabled:opacity-50"
    >
      <span
        className={classes(
          "flex size-4.5 items-center justify-center rounded-sm border",
          checked === false ? "border-edge bg-card" : "border-accent bg-accent text-on-accent",
        )}
      >
        <RadixCheckbox.Indicator>
          {checked === "indeterminate" ? (
            <span className="block h-0.5 w-2.5 bg-current" />
          ) : (
            <Check size={14} strokeWidth={3} aria-hidden="true" />
          )}
        </RadixCheckbox.Indicator>
      </span>
    </RadixCheckbox.Root>
  );
}
