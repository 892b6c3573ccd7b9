/**
 * Chosen or typed words, each with a button to remove it.
 *
 * @module
 */
import { X } from "lucide-react";
import { classes } from "./class-names.ts";

interface ChipsProps {
  readonly values: readonly string[];
  readonly onRemove: (value: string) => void;
  /** Monospaced, for local users, addresses and commands. */
  readonly mono?: boolean;
}

export function Chips({ values, onRemove, mono = false }: ChipsProps) {
  return values.map((value) => (
    <span
      key={value}
      className="inline-flex max-w-full items-center rounded-sm border border-line bg-sunken pl-2"
    >
      <span className={classes("min-w-0 truncate", mono ? "font-mono text-xs" : "text-sm")} title={value}>
        <bdi>{value}</bdi>
      </span>
      <button
        type="button"
        aria-label={`Remove ${value}`}
        onClick={() => onRemove(value)}
        className="ml-0.5 flex size-6 shrink-0 items-center justify-center rounded-sm text-soft hover:text-ink pointer-coarse:size-11"
      >
        <X size={14} aria-hidden="true" />
      </button>
    </span>
  ));
}

/** Classes of the box around chips and the control that adds to them. */
export const CHIPS_BOX =
  "flex min-h-9 w-full flex-wrap items-center gap-1.5 rounded-md border border-edge bg-card px-1.5 py-1 " +
  "has-aria-invalid:border-bad has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-accent " +
  "has-[input:focus-visible]:outline-offset-2 pointer-coarse:min-h-11";
