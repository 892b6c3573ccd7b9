/**
 * A badge with a word of state. Colour and dot only repeat what the word says.
 *
 * @module
 */
import type { ReactNode } from "react";
import { classes } from "./class-names.ts";

export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

const TONES: Readonly<Record<Tone, string>> = {
  plain: "bg-sunken text-soft ring-1 ring-line ring-inset",
  good: "bg-good-ground text-good",
  warn: "bg-warn-ground text-warn",
  bad: "bg-bad-ground text-bad",
  accent: "bg-accent-ground text-accent",
};

interface BadgeProps {
  readonly tone?: Tone;
  /** Shows a dot before the word, for states that describe the present. */
  readonly dot?: boolean;
  readonly children: ReactNode;
}

export function Badge({ tone = "plain", dot = false, children }: BadgeProps) {
  return (
    <span
      className={classes(
        "inline-flex max-w-full items-baseline gap-1.5 rounded-full px-2 py-0.5 font-medium text-xs",
        TONES[tone],
      )}
    >
      {dot ? (
        <span aria-hidden="true" className="size-1.5 shrink-0 self-center rounded-full bg-current" />
      ) : null}
      <span className="truncate">{children}</span>
    </span>
  );
}
