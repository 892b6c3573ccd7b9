/**
 * A moment: relative by default, absolute with the time zone in the tooltip, or if `exact`.
 *
 * @module
 */
import { absoluteTime, isNever, relativeTime } from "./moments.ts";

interface TimeProps {
  readonly iso: string;
  /** Shows the absolute time, as for evidence. */
  readonly exact?: boolean;
  /** Shown for a moment that never was. */
  readonly never?: string;
}

export function Time({ iso, exact = false, never = "never" }: TimeProps) {
  if (isNever(iso)) return <span className="text-soft">{never}</span>;
  return (
    <time dateTime={iso} title={absoluteTime(iso)} className="tabular-nums sm:whitespace-nowrap">
      {exact ? absoluteTime(iso) : relativeTime(iso)}
    </time>
  );
}
