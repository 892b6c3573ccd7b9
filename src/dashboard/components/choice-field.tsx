/**
 * A choice among a few visible options: side by side, or stacked with an explanation of each.
 *
 * @module
 */
import { RadioGroup } from "radix-ui";
import { type ReactNode, useId } from "react";
import { classes } from "./class-names.ts";

export interface WideChoice<V extends string> {
  readonly value: V;
  readonly label: string;
  readonly about?: string;
}

interface ChoiceFieldProps<V extends string> {
  readonly label: string;
  readonly value: V;
  readonly onValue: (value: V) => void;
  readonly choices: readonly WideChoice<V>[];
  /** Shows the label to screen readers only, where the page says it already. */
  readonly isLabelHidden?: boolean;
}

/** Options side by side. */
export function SegmentField<V extends string>(props: ChoiceFieldProps<V>) {
  return (
    <ChoiceGroup
      {...props}
      className="inline-flex max-w-full flex-wrap gap-0.5 rounded-md border border-edge bg-sunken p-0.5"
    >
      {props.choices.map(({ value, label }) => (
        <RadioGroup.Item
          key={value}
          value={value}
          className={classes(
            "min-h-7.5 rounded-sm px-3 font-medium text-soft hover:text-ink pointer-coarse:min-h-10",
            "border border-transparent data-[state=checked]:border-line data-[state=checked]:bg-card data-[state=checked]:text-ink",
          )}
        >
          {label}
        </RadioGroup.Item>
      ))}
    </ChoiceGroup>
  );
}

/** Options below one another. */
export function CardChoiceField<V extends string>(props: ChoiceFieldProps<V>) {
  return (
    <ChoiceGroup {...props} className="flex flex-col gap-2">
      {props.choices.map(({ value, label, about }) => (
        <RadioGroup.Item
          key={value}
          value={value}
          className="group flex items-start gap-3 rounded-md border border-line bg-card p-3 text-left hover:border-edge data-[state=checked]:border-accent data-[state=checked]:bg-accent-ground"
        >
          <span className="mt-0.5 flex size-4.5 shrink-0 items-center justify-center rounded-full border border-edge bg-card group-data-[state=checked]:border-accent">
            <RadioGroup.Indicator className="size-2.5 rounded-full bg-accent" />
          </span>
          <span className="min-w-0">
            <span className="block font-medium">{label}</span>
            {about === undefined ? null : <span className="block text-soft text-xs">{about}</span>}
          </span>
        </RadioGroup.Item>
      ))}
    </ChoiceGroup>
  );
}

interface ChoiceGroupProps<V extends string> extends ChoiceFieldProps<V> {
  readonly className: string;
  readonly children: ReactNode;
}

function ChoiceGroup<V extends string>(props: ChoiceGroupProps<V>) {
  const { label, value, onValue, isLabelHidden = false, className, children } = props;
  const id = useId();
  return (
    <div>
      <p id={id} className={isLabelHidden ? "sr-only" : "mb-1 font-medium"}>
        {label}
      </p>
      <RadioGroup.Root
        aria-labelledby={id}
        value={value}
        onValueChange={(now) => onValue(now as V)}
        className={className}
      >
        {children}
      </RadioGroup.Root>
    </div>
  );
}
