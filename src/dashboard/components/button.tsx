/**
 * The only button, in four weights. `ButtonLink` is a link that looks like one.
 *
 * @module
 */
import { Link, type LinkProps } from "@tanstack/react-router";
import type { ComponentProps, ReactNode } from "react";
import { classes } from "./class-names.ts";

export type ButtonWeight = "primary" | "secondary" | "quiet" | "danger";

const WEIGHTS: Readonly<Record<ButtonWeight, string>> = {
  primary: "bg-accent text-on-accent border-accent hover:bg-accent-over hover:border-accent-over",
  secondary: "bg-card text-ink border-edge hover:bg-sunken",
  quiet: "bg-transparent text-ink border-transparent hover:bg-sunken",
  danger: "bg-bad text-on-bad border-bad hover:opacity-90",
};
const BASE =
  "inline-flex items-center justify-center gap-2 rounded-md border text-sm whitespace-nowrap " +
  "transition-opacity disabled:opacity-50 disabled:cursor-not-allowed pointer-coarse:min-h-11";
const SIZES = {
  normal: "min-h-9 px-3.5 font-semibold",
  small: "min-h-8 px-2.5 font-medium",
  icon: "size-9 pointer-coarse:size-11",
} as const;

/** Classes of a plain link that looks like a button and leaves the page. */
export const BUTTON_LOOK = classes(BASE, WEIGHTS.secondary, SIZES.small, "no-underline");

interface Look {
  readonly weight?: ButtonWeight;
  readonly size?: keyof typeof SIZES;
}

interface ButtonProps extends ComponentProps<"button">, Look {
  /** Whether its action is running. The button is then disabled, and marked busy for screen readers. */
  readonly busy?: boolean;
}

export function Button({ weight = "secondary", size = "normal", busy = false, ...props }: ButtonProps) {
  return (
    <button
      type="button"
      {...props}
      disabled={props.disabled === true || busy}
      aria-busy={busy || undefined}
      className={classes(BASE, WEIGHTS[weight], SIZES[size], props.className)}
    />
  );
}

export function ButtonLink({
  weight = "secondary",
  size = "normal",
  className,
  children,
  ...props
}: LinkProps & Look & { readonly className?: string; readonly children: ReactNode }) {
  return (
    <Link {...props} className={classes(BASE, WEIGHTS[weight], SIZES[size], "no-underline", className)}>
      {children}
    </Link>
  );
}

/** A button with only an icon. `label` is its accessible name and tooltip. */
export function IconButton({ label, ...props }: Omit<ButtonProps, "size"> & { readonly label: string }) {
  return <Button weight="quiet" {...props} size="icon" aria-label={label} title={label} />;
}
