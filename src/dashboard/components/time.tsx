/**
 * Moments: relative where people glance, absolute with the zone where they look twice.
 *
 * @module
 */
import { absoluteTime, isNever, relativeTime } from "./moments.ts";

interface TimeProps {
  readonly iso: string;
  /** Say the moment itself, as in evidence. */
  readonly exact?: boolean;
  /** In the place of a moment that never was. */
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
