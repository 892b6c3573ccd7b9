/**
 * Counts events by hour.
 *
 * @module
 */
const HOUR_MS = 3_600_000;

/** Counts for the last `hours` hours, the current one last. Older events are left out. */
export function hourly(timestamps: readonly string[], hours: number, nowMs: number): number[] {
  const present = Math.floor(nowMs / HOUR_MS);
  const counts = Array.from({ length: hours }, () => 0);
  for (const timestamp of timestamps) {
    const age = present - Math.floor(Date.parse(timestamp) / HOUR_MS);
    // Timestamps from a clock that is ahead count in the current hour.
    const at = hours - 1 - Math.max(0, age);
    if (at >= 0) counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

/** The start of the hour of bar `index`, such as `14:00`. */
export function hourName(index: number, hours: number, nowMs: number): string {
  const at = new Date((Math.floor(nowMs / HOUR_MS) - (hours - 1 - index)) * HOUR_MS);
  return `${String(at.getHours()).padStart(2, "0")}:00`;
}
